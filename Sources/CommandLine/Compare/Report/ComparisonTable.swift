import Foundation

/// The main table of a comparison, as cells of text: what the terminal, Markdown and HTML show alike.
struct ComparisonTable {
    let columns: [(title: String, alignment: TextTable.Alignment)]
    let rows: [[String]]

    init(_ comparison: Comparison) {
        let sizes = Set(comparison.rows.map(\.model.imageSize))
        // A column that says the same everywhere says nothing.
        let showsSize = sizes.count > 1
        columns =
            [("model", .left)] + (showsSize ? [("image", .right)] : [])
            + [
                ("parameters", .right), ("multiply-adds", .right), ("top-1", .right), ("from", .left),
                ("median ms", .right), ("P10-P90 ms", .right), ("ratio", .right), ("images/s", .right),
                ("GFLOP/s", .right), ("of peak", .right),
            ] + PartGroup.allCases.map { ($0.rawValue, .right) }
        rows = comparison.rows.map { row in
            [row.model.name] + (showsSize ? [row.model.imageSize] : [])
                + [
                    Figures.millions(row.model.parameters), Figures.billions(row.model.multiplyAdds),
                    Self.top1(row.model), row.model.published == nil ? "" : row.model.shortSource ?? "",
                    Self.two(row.medianTime), "\(Self.two(row.spread.lowerBound))-\(Self.two(row.spread.upperBound))",
                    row.baseline == nil ? "baseline" : Self.ratio(row.ratio.median), Self.two(row.imagesPerSecond),
                    String(format: "%.1f", row.gigaflops), Self.percent(row.shareOfPeak),
                ] + PartGroup.allCases.map { Self.percent(row.measurement.share(of: $0)) }
        }
    }

    /// For instance `82.7`, or `82.7 (224²)` where that is not the size compared; empty if nothing was published.
    private static func top1(_ model: ComparedModel) -> String {
        guard let published = model.published else { return "" }
        return model.isPublishedAtThisSize ? published.top1 : "\(published.top1) (\(published.imageSide)²)"
    }

    static func two(_ value: Double) -> String { String(format: "%.2f", value) }
    static func ratio(_ value: Double) -> String { String(format: "%.3f", value) }
    static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}

/// The time of each part of each model, with its work.
struct PartTable {
    let columns: [(title: String, alignment: TextTable.Alignment)] = [
        ("model", .left), ("part", .left), ("ms", .right), ("share", .right), ("multiply-adds", .right),
        ("GFLOP/s", .right), ("of baseline's", .right),
    ]
    let rows: [[String]]

    init(_ comparison: Comparison) {
        rows = comparison.entries.flatMap { entry in
            let baseline = comparison.entries[entry.baseline].measurement
            return entry.measurement.parts.map { part in
                let cost = entry.measurement.cost(of: part)
                return Self.row(
                    entry.model.name, part.rawValue, cost, of: entry.measurement.sum,
                    reference: baseline.cost(of: part).gigaflops)
            }
        }
    }

    /// - Parameter reference: the baseline's GFLOP/s in the same part.
    static func row(
        _ name: String, _ what: String, _ cost: Cost, of sum: Cost, reference: Double?
    ) -> [String] {
        let relative = cost.gigaflops.flatMap { rate in reference.map { ComparisonTable.percent(rate / $0) } }
        return [
            name, what, String(format: "%.3f", cost.milliseconds),
            ComparisonTable.percent(sum.milliseconds > 0 ? cost.milliseconds / sum.milliseconds : 0),
            cost.multiplyAdds > 0 ? Figures.billions(cost.multiplyAdds) : "",
            cost.gigaflops.map { String(format: "%.1f", $0) } ?? "", relative ?? "",
        ]
    }
}

/// What the stem and the convolutional embeddings spend their time on.
struct EmbeddingTable {
    let columns: [(title: String, alignment: TextTable.Alignment)] = [
        ("model", .left), ("operators of stem and embeddings", .left), ("ms", .right), ("share", .right),
        ("multiply-adds", .right), ("GFLOP/s", .right),
    ]
    let rows: [[String]]

    init(_ comparison: Comparison) {
        rows = comparison.entries.flatMap { entry in
            entry.measurement.embeddingKinds.map { kind, cost in
                PartTable.row(entry.model.name, kind, cost, of: entry.measurement.sum, reference: nil).dropLast()
            }
        }
    }
}
