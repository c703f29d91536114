import Foundation

/// The plots of a comparison.
enum ComparisonPlots {
    /// A plot, or why there is none.
    struct Plot: Sendable {
        /// The name of its file.
        let file: String
        let title: String
        /// Drawn as a file of its own, and as part of a page; `nil` where there is nothing to draw.
        let alone: String?
        let inPage: String?
        /// What to know beside the plot, or instead of it; may be empty.
        let note: String
    }

    static func all(_ comparison: Comparison) -> [Plot] {
        [accuracy(comparison), work(comparison), parts(comparison)]
    }

    private static func subtitle(_ comparison: Comparison) -> String {
        let settings = comparison.settings
        return """
            batch \(settings.batch), \(settings.threads) thread\(settings.threads == 1 ? "" : "s"), \
            \(settings.rounds) rounds
            """
    }

    /// Latency against published top-1.
    private static func accuracy(_ comparison: Comparison) -> Plot {
        let title = "Latency and published accuracy"
        let known = comparison.rows.filter { $0.model.published?.value != nil }
        let unknown = comparison.rows.filter { $0.model.published?.value == nil }.map(\.model.name)
        var notes: [String] = []
        if !unknown.isEmpty {
            notes.append("Without a published top-1 and so not in this plot: \(unknown.joined(separator: ", ")).")
        }
        let elsewhere = known.filter { !$0.model.isPublishedAtThisSize }
        if !elsewhere.isEmpty {
            let list = elsewhere.map { "\($0.model.name) (\($0.model.published!.imageSide)²)" }
            notes.append("Accuracies of another image size than the one measured: \(list.joined(separator: ", ")).")
        }
        let file = "latency-accuracy.svg"
        guard known.count > 1 else {
            let reason = "Fewer than two of these models have a published top-1, so latency is not drawn against it."
            return Plot(
                file: file, title: title, alone: nil, inPage: nil, note: ([reason] + notes).joined(separator: " "))
        }
        let values = known.map { (cost: $0.medianTime, value: $0.model.published!.value!) }
        let best = ParetoFront.indices(values)
        var plot = ScatterPlot(
            title: title,
            subtitle: subtitle(comparison) + "; line: Pareto front, which no model beats in both",
            horizontalTitle: "median latency, milliseconds per batch (bar: P10 to P90)",
            verticalTitle: "published top-1 on ImageNet-1k, %",
            points: known.indices.map { index in
                let row = known[index]
                return ScatterPlot.Point(
                    name: row.model.name, x: row.medianTime, y: values[index].value, horizontalSpread: row.spread,
                    isBest: best.contains(index),
                    tip: "\(row.model.name): \(ComparisonTable.two(row.medianTime)) ms, "
                        + "top-1 \(row.model.published!.top1) %")
            })
        plot.front = best.map { (values[$0].cost, values[$0].value) }
        return Plot(
            file: file, title: title, alone: plot.svg(isAlone: true), inPage: plot.svg(isAlone: false),
            note: notes.joined(separator: " "))
    }

    /// Latency against multiply-adds.
    private static func work(_ comparison: Comparison) -> Plot {
        let title = "Latency and multiply-adds"
        let baseline = comparison.rows[comparison.entries[0].baseline]
        var plot = ScatterPlot(
            title: title,
            subtitle: subtitle(comparison)
                + "; broken line: \(String(format: "%.1f", baseline.gigaflops)) GFLOP/s, as \(baseline.model.name)",
            horizontalTitle: "multiply-adds for one image, billions",
            verticalTitle: "median latency, ms per batch (bar: P10 to P90)",
            points: comparison.rows.map { row in
                ScatterPlot.Point(
                    name: row.model.name, x: Double(row.model.multiplyAdds) / 1e9, y: row.medianTime,
                    verticalSpread: row.spread,
                    tip: "\(row.model.name): \(Figures.billions(row.model.multiplyAdds)) multiply-adds, "
                        + "\(ComparisonTable.two(row.medianTime)) ms, "
                        + String(format: "%.1f GFLOP/s", row.gigaflops))
            })
        plot.guide = (Double(baseline.model.multiplyAdds) / 1e9, baseline.medianTime)
        return Plot(
            file: "latency-multiply-adds.svg", title: title, alone: plot.svg(isAlone: true),
            inPage: plot.svg(isAlone: false),
            note: "Models above the broken line take longer for each multiply-add. Axes need not start at zero.")
    }

    /// Time by part.
    private static func parts(_ comparison: Comparison) -> Plot {
        let title = "Time by part"
        let plot = PartPlot(
            title: title, subtitle: subtitle(comparison) + "; runs with a clock in every step, mean of the middle half",
            bars: comparison.rows.map { row in
                PartPlot.Bar(
                    name: row.model.name,
                    parts: row.measurement.parts.map { ($0, row.measurement.cost(of: $0).milliseconds) })
            })
        return Plot(
            file: "time-by-part.svg", title: title, alone: plot.svg(isAlone: true), inPage: plot.svg(isAlone: false),
            note: "")
    }
}
