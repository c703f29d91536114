import ArgumentParser
import CETNet
import Foundation

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the layers of a model: operator, output shape, parameters, multiply-adds.",
        discussion: """
            A name that 'cetnet variants' lists is taken as a variant; write ./NAME for a folder of the same name. A \
            model on disk is checked as loading checks it: every tensor must be there in its shape, and no other.

            Shapes are height x width x channels for one image. Multiply-adds count convolutions, linear layers and the \
            two products of attention; one multiply-add is two floating point operations.

            EXAMPLES
              cetnet inspect cetnet-t
              cetnet inspect cetnet-b --image-size 256x320
              cetnet inspect models/digits --json
            """)

    @Argument(help: ArgumentHelp("The name of a variant, or a model on disk.", valueName: "variant|model"))
    var model: String

    @Option(
        name: .long,
        help: ArgumentHelp("The image size, N or HxW (default: the model's own).", valueName: "n|hxw"))
    var imageSize: SizeArgument?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let summary = try summary()
        try Console.print(json ? jsonText(summary) : table(summary))
    }

    private func summary() throws(Failure) -> ModelSummary {
        if Variant.all.contains(where: { $0.name == model }) {
            return try Failure.wrap(.unusable) {
                try ModelSummary(ModelConfiguration(variant: model), imageSize: imageSize?.size)
            }
        }
        guard FileManager.default.fileExists(atPath: model) else {
            throw Failure(
                status: .unusable,
                message: "\(model): no such file or directory, and \(unknownVariant(model))")
        }
        return try Failure.wrap(.unusable) {
            try ModelSummary(contentsOf: URL(fileURLWithPath: model), imageSize: imageSize?.size)
        }
    }

    private func table(_ summary: ModelSummary) -> String {
        var table = TextTable([
            ("layer", .left), ("operator", .left), ("output", .right), ("parameters", .right),
            ("multiply-adds", .right),
        ])
        for layer in summary.layers {
            table.add([
                layer.name, layer.operator, layer.outputShape.map(String.init).joined(separator: "x"),
                Figures.grouped(layer.parameters), Figures.grouped(layer.multiplyAdds),
            ])
        }
        table.add([
            "total", "", "", Figures.grouped(summary.parameters), Figures.grouped(summary.multiplyAdds),
        ])
        return """
            \(table.text)

            \(model), images of \(summary.imageSize): \
            \(Figures.millions(summary.parameters)) parameters, \(Figures.billions(summary.multiplyAdds)) multiply-adds \
            (\(Figures.billions(2 * summary.multiplyAdds)) floating point operations)
            """
    }

    private func jsonText(_ summary: ModelSummary) -> String {
        let layers = summary.layers.map { layer in
            JSON.object([
                ("name", .string(layer.name)),
                ("operator", .string(layer.operator)),
                ("output_shape", .array(layer.outputShape.map { .integer($0) })),
                ("parameters", .integer(layer.parameters)),
                ("multiply_adds", .integer(layer.multiplyAdds)),
            ])
        }
        return JSON.object([
            ("variant", summary.configuration.variant.map { .string($0) } ?? .null),
            ("parameters", .integer(summary.parameters)),
            ("multiply_adds", .integer(summary.multiplyAdds)),
            ("layers", .array(layers)),
        ]).text
    }
}
