import ArgumentParser
import CETNet
import Foundation

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a model with seeded random weights, for benchmarks and tests.",
        discussion: """
            Writes config.json and model.safetensors. The same variant, seed and number of labels give the same bytes. \
            The weights are scaled so that activations neither vanish nor explode; the model knows nothing.

            EXAMPLES
              cetnet init cetnet-t --seed 1 --output /tmp/cetnet-t
              cetnet init cetnet-s --seed 7 --num-labels 10 --output /tmp/ten --force
            """)

    @Argument(help: "The name of a variant; see 'cetnet variants'.")
    var variant: String

    @Option(name: .long, help: ArgumentHelp("The seed of the random weights.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(name: .long, help: ArgumentHelp("How many labels the model tells apart (default: 1000).", valueName: "n"))
    var numLabels: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("The directory to write to; made if there is none.", valueName: "directory"))
    var output: String

    @Flag(name: .long, help: "Replace a model that is already there.")
    var force = false

    func validate() throws {
        try Allowed.check("num-labels", numLabels, 1...1_000_000)
    }

    func run() throws {
        guard var configuration = Variant.named(variant)?.configuration else {
            throw Failure(status: .unusable, message: Variant.unknown(variant))
        }
        if let numLabels { configuration.setLabelCount(numLabels) }
        try Failure.wrap(.unusable) {
            do {
                try configuration.writeRandomModel(seed: seed, to: URL(fileURLWithPath: output), replacing: force)
            } catch ModelError.fileExists(let path) {
                throw Failure(status: .unusable, message: "\(path) exists already; --force replaces it")
            }
        }
        try Console.print(output)
    }
}
