import ArgumentParser
import CETNet
import Foundation

/// `--model`, for the commands that run one.
struct ModelOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The model: a directory with config.json and model.safetensors, of this project or as downloaded from a "
                + "hub, or one .safetensors file.",
            valueName: "model"))
    var model: String

    /// Loads the model, or ends the program with status 2.
    func load(threads: Int? = nil) throws(Failure) -> Model {
        try Failure.wrap(.unusable) {
            try Model(
                contentsOf: URL(fileURLWithPath: model), options: Model.Options(threads: threads, concurrency: 1))
        }
    }
}

/// `--threads`, for the commands that run a model.
struct ThreadsOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many threads compute (default: all CPUs that the process may use).", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, !(1...64).contains(threads) {
            throw ValidationError("--threads is \(threads); allowed are 1 to 64.")
        }
    }
}

/// Finds a variant by name, or ends the program with status 2 and the nearest name.
func variantConfiguration(_ name: String) throws(Failure) -> ModelConfiguration {
    guard Variant.all.contains(where: { $0.name == name }) else {
        throw Failure(status: .unusable, message: unknownVariant(name))
    }
    return try Failure.wrap(.unusable) { try ModelConfiguration(variant: name) }
}

/// The message for a name that no variant has.
func unknownVariant(_ name: String) -> String {
    let hint =
        Spelling.nearest(to: name, among: Variant.all.map(\.name)).map { "did you mean '\($0)'?" }
        ?? "'cetnet variants' lists the known ones."
    return "there is no variant '\(name)'; \(hint)"
}
