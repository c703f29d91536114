import ArgumentParser
import CETNet
import CETNetCheckpoint

struct Variants: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the known variants with their parameters, multiply-adds and published accuracy.",
        discussion: """
            Parameters and multiply-adds are computed from the definition, multiply-adds for one image of 224x224, of \
            segmentation models (…-upernet) for one of 512x2048. One multiply-add is two floating point operations; \
            papers print multiply-adds as "FLOPs". The columns under "published" are the figures of the paper, where it \
            gives any; top-1 is the accuracy on ImageNet-1k.

            EXAMPLES
              cetnet variants
              cetnet variants --json
            """)

    @Flag(help: "Print one JSON object per variant and line.")
    var json = false

    func run() throws {
        let summaries = try Failure.wrap(.unusable) {
            try Variant.all.map { variant in
                let size = ImageSize(height: variant.counted.imageSize, width: variant.counted.imageWidth)
                return (variant, try ModelSummary(variant.configuration, imageSize: size))
            }
        }
        try Console.print(json ? jsonLines(summaries) : table(summaries))
    }

    private func table(_ summaries: [(Variant, ModelSummary)]) -> String {
        var table = TextTable([
            ("variant", .left), ("parameters", .right), ("multiply-adds", .right), ("published:", .left),
            ("parameters", .right), ("multiply-adds", .right), ("top-1", .right),
        ])
        for (variant, summary) in summaries {
            table.add([
                variant.name, Figures.millions(summary.parameters), Figures.billions(summary.multiplyAdds), "",
                variant.publishedParameters ?? "", variant.publishedMultiplyAdds ?? "", variant.publishedTop1 ?? "",
            ])
        }
        return table.text
    }

    private func jsonLines(_ summaries: [(Variant, ModelSummary)]) -> String {
        summaries.map { variant, summary in
            JSONValue.object([
                .init("variant", .string(variant.name)), .init("parameters", .integer(summary.parameters)),
                .init("multiply_adds", .integer(summary.multiplyAdds)),
                .init("published_top1", variant.publishedTop1.map { .string($0) } ?? .null),
            ]).line
        }.joined(separator: "\n")
    }
}
