import CETNet
import Foundation

/// A model that takes part in a comparison: where it comes from, before it is loaded.
struct CompareSubject {
    /// As reports call it.
    let name: String
    /// Side of its own images.
    let imageSize: ImageSize
    /// What is known of it.
    let compared: ComparedModel
    private let origin: Origin

    private enum Origin {
        case random(ModelConfiguration)
        case disk(URL)
    }

    /// Finds a variant, a model on disk, or a configuration on disk.
    /// - Parameters:
    ///   - argument: as on the command line.
    ///   - name: as reports call it.
    ///   - imageSize: `nil` for the model's own.
    init(_ argument: String, name: String, imageSize: ImageSize?) throws(Failure) {
        let summary: ModelSummary
        if let variant = Variant.named(argument) {
            origin = .random(variant.configuration)
            summary = try Failure.wrap(.unusable) { try ModelSummary(variant.configuration, imageSize: imageSize) }
        } else {
            guard FileManager.default.fileExists(atPath: argument) else {
                throw Failure(
                    status: .unusable,
                    message: "\(argument): no such file or directory, and \(unknownVariant(argument))")
            }
            let url = URL(fileURLWithPath: argument)
            if url.pathExtension == "json" {
                let configuration = try Failure.wrap(.unusable) {
                    try ModelConfiguration(json: Data(contentsOf: url), source: argument)
                }
                origin = .random(configuration)
                summary = try Failure.wrap(.unusable) { try ModelSummary(configuration, imageSize: imageSize) }
            } else {
                origin = .disk(url)
                summary = try Failure.wrap(.unusable) { try ModelSummary(contentsOf: url, imageSize: imageSize) }
            }
        }
        self.name = name
        self.imageSize = summary.imageSize
        let variant = Variant.named(argument)
        let figures = variant.flatMap { Self.figures($0, imageSize: summary.imageSize) }
        compared = ComparedModel(
            name: name, imageSize: summary.imageSize.description, parameters: summary.parameters,
            multiplyAdds: summary.multiplyAdds,
            published: figures.flatMap { figures in
                figures.top1.map { ComparedModel.Published(top1: $0, imageSide: figures.imageSize) }
            },
            remark: variant?.publishedRemark, source: variant?.source)
    }

    /// The published accuracy for images of this size; else that for the smallest images.
    private static func figures(_ variant: Variant, imageSize: ImageSize) -> Variant.PublishedFigures? {
        let figures = variant.published.filter { $0.top1 != nil }
        return figures.first { imageSize == ImageSize(square: $0.imageSize) } ?? figures.first
    }

    /// Bytes that its weights will take, about.
    var weightBytes: Int { compared.parameters * MemoryLayout<Float>.size }

    func load(seed: UInt64, threads: Int) throws(Failure) -> Model {
        let options = Model.Options(threads: threads, concurrency: 1)
        return try Failure.wrap(.unusable) {
            switch origin {
            case .random(let configuration):
                try Model(configuration: configuration, randomSeed: seed, options: options)
            case .disk(let url): try Model(contentsOf: url, options: options)
            }
        }
    }
}
