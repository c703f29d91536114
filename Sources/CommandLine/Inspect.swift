import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the layers of a model: operator, output shape, parameters, multiply-adds.",
        discussion: """
            A name that 'cetnet variants' lists is taken as a variant; write ./NAME for a folder of the same name. A \
            model on disk is checked as loading checks it: every tensor must be there in its shape, and no other. Where \
            it is a checkpoint of Transformers, timm, torchvision or a backbone's authors, or quantised, the last lines \
            say so.

            Shapes are height x width x channels for one image. Multiply-adds count convolutions, linear layers and the \
            two products of attention; one multiply-add is two floating point operations.

            With --precision, and for a quantised model, a column says what each layer is computed in, and a last line \
            by which instructions of this processor.

            With --group-by the layers are summed up: by part (stem, convolutional embedding, patch embedding, local \
            convolution, attention, MLP, head), by stage (1 to 4), or by both, as "stage,part".

            EXAMPLES
              cetnet inspect cetnet-t
              cetnet inspect cetnet-t-ghost --group-by part
              cetnet inspect cetnet-b --image-size 256x320
              cetnet inspect models/digits --json
            """)

    @Argument(help: ArgumentHelp("The name of a variant, or a model on disk.", valueName: "variant|model"))
    var model: ModelArgument

    @Option(
        name: .long,
        help: ArgumentHelp("The image size, N or HxW (default: the model's own).", valueName: "n|hxw"))
    var imageSize: SizeArgument?

    @Option(
        name: .long, help: ArgumentHelp("Sum the layers up by stage, by part, or by both.", valueName: "stage|part"))
    var groupBy: Grouping?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Show what is computed how in float32, bfloat16 or int8 (default: the model's own precision).",
            valueName: "precision"))
    var precision: Precision?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let summary = try model.source().summary(imageSize: imageSize?.size, precision: precision)
        try Console.print(json ? jsonText(summary) : table(summary))
    }

    /// Layers summed up.
    private struct Group {
        let name: String
        let layers: Int
        let parameters: Int
        let multiplyAdds: Int
    }

    private func groups(_ summary: ModelSummary, by grouping: Grouping) -> [Group] {
        summary.layers.grouped { grouping.group(part: $0.part, stage: $0.stage) }.map { name, layers in
            Group(
                name: name, layers: layers.count, parameters: layers.reduce(0) { $0 + $1.parameters },
                multiplyAdds: layers.reduce(0) { $0 + $1.multiplyAdds })
        }
    }

    private func table(_ summary: ModelSummary) -> String {
        """
        \(groupBy.map { groupTable(summary, by: $0) } ?? layerTable(summary))

        \(printable(model.text)), images of \(summary.imageSize): \
        \(Figures.millions(summary.parameters)) parameters, \(Figures.billions(summary.multiplyAdds)) multiply-adds \
        (\(Figures.billions(2 * summary.multiplyAdds)) floating point operations)\
        \(summary.layout.map { "\nnames of the tensors: \($0)" } ?? "")\
        \(storedPrecision(summary))
        """
    }

    private func storedPrecision(_ summary: ModelSummary) -> String {
        let precision = summary.configuration.precision
        let stored = precision == .float32 ? "" : "\nweights: rounded for \(precision.rawValue)"
        guard summary.precision != .float32 else { return stored }
        let products = summary.instructions.sorted { $0.key > $1.key }.filter { $0.key != Precision.float32.rawValue }
        let text = products.map { "\($0.key) by \($0.value)" }.joined(separator: ", ")
        return stored + "\nproducts: \(text), the rest float32"
    }

    private func groupTable(_ summary: ModelSummary, by grouping: Grouping) -> String {
        func share(_ count: Int, of all: Int) -> String { Figures.percent(Float(count) / Float(max(1, all))) }
        var table = TextTable([
            (grouping.title, .left), ("layers", .right), ("parameters", .right), ("share", .right),
            ("multiply-adds", .right), ("share", .right),
        ])
        let whole = Group(
            name: "total", layers: summary.layers.count, parameters: summary.parameters,
            multiplyAdds: summary.multiplyAdds)
        for group in groups(summary, by: grouping) + [whole] {
            table.add([
                group.name, String(group.layers), Figures.grouped(group.parameters),
                share(group.parameters, of: whole.parameters), Figures.grouped(group.multiplyAdds),
                share(group.multiplyAdds, of: whole.multiplyAdds),
            ])
        }
        return table.text
    }

    private func layerTable(_ summary: ModelSummary) -> String {
        let isPlain = summary.precision == .float32
        var columns: [(title: String, alignment: TextTable.Alignment)] = [
            ("layer", .left), ("operator", .left), ("output", .right), ("parameters", .right),
            ("multiply-adds", .right),
        ]
        if !isPlain { columns.append(("computed in", .left)) }
        var table = TextTable(columns)
        for layer in summary.layers {
            let row = [
                layer.name, layer.operator, layer.outputShape.map(String.init).joined(separator: "x"),
                Figures.grouped(layer.parameters), Figures.grouped(layer.multiplyAdds), layer.precision.rawValue,
            ]
            table.add(Array(row.prefix(columns.count)))
        }
        let total = ["total", "", "", Figures.grouped(summary.parameters), Figures.grouped(summary.multiplyAdds), ""]
        table.add(Array(total.prefix(columns.count)))
        return table.text
    }

    private func jsonText(_ summary: ModelSummary) -> String {
        let details = groupBy.map { groups(summary, by: $0).map(jsonValue) } ?? summary.layers.map(jsonValue)
        return JSONValue.object([
            .init("variant", summary.configuration.variant.map { .string($0) } ?? .null),
            .init("layout", summary.layout.map { .string($0) } ?? .null),
            .init("parameters", .integer(summary.parameters)),
            .init("multiply_adds", .integer(summary.multiplyAdds)),
            .init(groupBy == nil ? "layers" : "groups", .array(details)),
            .init("precision", .string(summary.precision.rawValue)),
            .init(
                "instructions",
                .object(summary.instructions.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
        ]).line
    }

    private func jsonValue(_ group: Group) -> JSONValue {
        [
            "group": .string(group.name), "layers": .integer(group.layers), "parameters": .integer(group.parameters),
            "multiply_adds": .integer(group.multiplyAdds),
        ]
    }

    private func jsonValue(_ layer: ModelSummary.Layer) -> JSONValue {
        [
            "name": .string(layer.name), "operator": .string(layer.operator),
            "output_shape": .array(layer.outputShape.map { .integer($0) }), "parameters": .integer(layer.parameters),
            "multiply_adds": .integer(layer.multiplyAdds), "precision": .string(layer.precision.rawValue),
        ]
    }
}
