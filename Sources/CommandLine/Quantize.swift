import ArgumentParser
import CETNet
import Foundation

struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Round a model's weights for a precision: a smaller file with the same results.",
        discussion: """
            Writes config.json and model.safetensors. The new model runs in that precision alone, with the same results \
            bit for bit as MODEL has with --precision; for other precisions keep MODEL. bfloat16 takes half of the \
            bytes; int8 a byte for each weight of a linear layer and two for each of a convolution. Every kind of model \
            can be quantised, those of other packages too; tensors get this project's names.

            EXAMPLES
              cetnet quantize --model my-model --precision int8 --output my-model-int8
              cetnet classify --model my-model-int8 photo.jpg
              cetnet evaluate --model my-model-int8 photos/ --against my-model
            """)

    @OptionGroup var model: ModelOption

    @Option(name: .long, help: ArgumentHelp("bfloat16 or int8.", valueName: "precision"))
    var precision: Precision

    @Option(
        name: .long,
        help: ArgumentHelp("The directory to write to; made if there is none.", valueName: "directory"))
    var output: String

    @Flag(name: .long, help: "Replace a model that is already there.")
    var force = false

    func validate() throws {
        if precision == .float32 { throw ValidationError("--precision is float32; allowed are bfloat16 and int8.") }
    }

    func run() throws {
        let url = try model.model.files()
        let (from, to) = (url.resolvingSymlinksInPath(), URL(fileURLWithPath: output).resolvingSymlinksInPath())
        guard from.standardizedFileURL != to.standardizedFileURL else {
            throw Failure(status: .unusable, message: "\(output) is the model itself; name another directory")
        }
        try Failure.wrap(.unusable) {
            do {
                try Model.quantize(
                    contentsOf: url, precision: precision, to: URL(fileURLWithPath: output), replacing: force)
            } catch ModelError.fileExists(let path) {
                throw Failure(status: .unusable, message: "\(path) exists already; --force replaces it")
            }
        }
        try Console.print(output)
    }
}
