import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

/// A model on the command line: the name of a variant, a configuration (a `.json` file), or a model on disk (a
/// directory, or a `.safetensors` file).
struct ModelArgument: ExpressibleByArgument {
    /// As it was typed.
    let text: String

    init(argument: String) { text = argument }

    /// What it stands for, or the end of the program with status 2 and the nearest name of a variant.
    func source() throws(Failure) -> ModelSource {
        if let variant = Variant.named(text) { return .random(variant.configuration) }
        guard FileManager.default.fileExists(atPath: text) else {
            throw Failure(
                status: .unusable, message: "\(text): no such file or directory, and \(Variant.unknown(text))")
        }
        let url = URL(fileURLWithPath: text)
        guard url.pathExtension == "json" else { return .files(url) }
        return .random(
            try Failure.wrap(.unusable) { try ModelConfiguration(json: ModelFiles.read(url), source: text) })
    }

    /// Where a model on disk is, even where a variant has the same name, or the end of the program with status 2.
    func files() throws(Failure) -> URL {
        let url = URL(fileURLWithPath: text)
        if url.pathExtension == "json" || !FileManager.default.fileExists(atPath: text), case .random = try source() {
            throw Failure(
                status: .unusable,
                message: """
                    \(text): this has no weights, and what random ones say means nothing; name a directory with \
                    config.json and model.safetensors, or a .safetensors file ('cetnet init' makes one for tests)
                    """)
        }
        return url
    }

    /// Loads a model on disk, even where a variant has the same name, or ends the program with status 2.
    func load(precision: Precision? = nil, threads: Int?) throws(Failure) -> Model {
        try ModelSource.files(files()).load(
            Model.Options(precision: precision, threads: threads, concurrency: 1), seed: 0)
    }
}

/// A model, or `MODEL:PRECISION`: how models in different precisions stand side by side.
struct ModelInPrecision {
    let model: ModelArgument
    /// `nil` for the model's own.
    let precision: Precision?

    init(model: ModelArgument, precision: Precision?) { (self.model, self.precision) = (model, precision) }

    /// Takes an argument apart, unless it is a file as it stands.
    /// - Parameter precision: of a model that names none.
    init(_ argument: ModelArgument, otherwise precision: Precision?) throws(Failure) {
        let text = argument.text
        guard let colon = text.lastIndex(of: ":"), !FileManager.default.fileExists(atPath: text) else {
            (model, self.precision) = (argument, precision)
            return
        }
        let name = String(text[text.index(after: colon)...])
        guard let named = Precision(rawValue: name) else {
            let known = Precision.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                status: .unusable, message: "\(text): there is no precision '\(name)'; there are \(known).")
        }
        (model, self.precision) = (ModelArgument(argument: String(text[..<colon])), named)
    }

    /// As reports write it: the precision behind the name unless it is float32.
    var text: String {
        guard let precision, precision != .float32 else { return model.text }
        return "\(model.text):\(precision.rawValue)"
    }
}

/// Where a model comes from.
enum ModelSource {
    /// A configuration, for random weights.
    case random(ModelConfiguration)
    /// A model with its weights.
    case files(URL)

    /// The layers, or the end of the program with status 2.
    func summary(imageSize: ImageSize? = nil, precision: Precision? = nil) throws(Failure) -> ModelSummary {
        try Failure.wrap(.unusable) {
            switch self {
            case .random(let configuration): try ModelSummary(configuration, imageSize: imageSize, precision: precision)
            case .files(let url): try ModelSummary(contentsOf: url, imageSize: imageSize, precision: precision)
            }
        }
    }

    /// The model, or the end of the program with status 2.
    /// - Parameter seed: of random weights.
    func load(_ options: Model.Options, seed: UInt64) throws(Failure) -> Model {
        try Failure.wrap(.unusable) {
            switch self {
            case .random(let configuration):
                try Model(configuration: configuration, randomSeed: seed, options: options)
            case .files(let url): try Model(contentsOf: url, options: options)
            }
        }
    }
}

extension Variant {
    /// The message for a name that no variant has.
    static func unknown(_ name: String) -> String {
        let hint =
            Spelling.nearest(to: name, among: all.map(\.name)).map { "did you mean '\($0)'?" }
            ?? "'cetnet variants' lists the known ones."
        return "there is no variant '\(name)'; \(hint)"
    }
}
