import ArgumentParser
import CETNet
import CETNetImaging

/// `--model`, for the commands that run one with its weights.
struct ModelOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The model: a directory with config.json and model.safetensors, of this project or as downloaded from a "
                + "hub, or one .safetensors file.",
            valueName: "model"))
    var model: ModelArgument
}

/// `--batch`, for the commands that run a model on many images.
struct BatchOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many images run through the model together. Changes speed and memory, not results.",
            valueName: "n"))
    var batch = 8

    func validate() throws { try Allowed.check("batch", batch, 1...1024) }
}

/// `--threads`, for the commands that run a model.
struct ThreadsOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many threads compute (default: all CPUs that the process may use).", valueName: "n"))
    var threads: Int?

    func validate() throws { try Allowed.check("threads", threads, 1...64) }
}

/// How images are decoded, for the commands that read many.
struct DecodingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Refuse images with more pixels. One needs 3 to 14 bytes a pixel.", valueName: "n"))
    var maxPixels = ImageDecoder().maximumPixels

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Decode images at the same time only while they need no more than this together; one alone may.",
            valueName: "MiB"))
    var decodingMemory = MemoryBudget.shared.bytes >> 20

    func validate() throws {
        try Allowed.check("max-pixels", maxPixels, 1...PixelBuffer.maximumPixels)
        try Allowed.check("decoding-memory", decodingMemory, 1...1 << 30)
    }

    var decoder: ImageDecoder {
        ImageDecoder(maximumPixels: maxPixels, memory: MemoryBudget(bytes: decodingMemory << 20))
    }
}

/// `--precision`, for the commands that run a model.
struct PrecisionOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "What linear layers and dense convolutions are computed in: float32, bfloat16 (half the weights' memory) or "
                + "int8 (about a quarter; convolutions in bfloat16). Default: what a quantised model is for, else "
                + "float32.", valueName: "precision"))
    var precision: Precision?
}

extension Precision: ExpressibleByArgument {}

/// Limits of options.
enum Allowed {
    /// Ends the program with the usage and status 2 if an option is given and out of its range.
    static func check(_ option: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError("--\(option) is \(value); allowed are \(range.lowerBound) to \(range.upperBound).")
    }
}

/// An image size on the command line: `N` for a square, or `HEIGHTxWIDTH`.
struct SizeArgument: ExpressibleByArgument {
    let size: ImageSize

    init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        switch sides.count {
        case 1:
            guard let side = sides[0], side > 0 else { return nil }
            size = ImageSize(square: side)
        case 2:
            guard let height = sides[0], let width = sides[1], height > 0, width > 0 else { return nil }
            size = ImageSize(height: height, width: width)
        default:
            return nil
        }
    }
}

/// Image sizes on the command line, separated by commas.
struct SizeList: ExpressibleByArgument {
    let sizes: [ImageSize]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let sizes = parts.compactMap { SizeArgument(argument: String($0))?.size }
        guard sizes.count == parts.count else { return nil }
        self.sizes = sizes
    }
}
