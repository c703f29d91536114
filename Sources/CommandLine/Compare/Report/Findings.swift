import Foundation

/// What a comparison says in words.
enum Findings {
    /// The models from the fastest on: `a < b ≈ c`, where `<` means told apart and `≈` not. Where groups that are not
    /// told apart overlap, `≈` holds in each group only, and they are listed: `a, b, c: a ≈ b; b ≈ c`.
    static func ranking(_ comparison: Comparison) -> String {
        let names = comparison.rows.map(\.model.name)
        let groups = comparison.groups.map { $0.map { names[$0] }.joined(separator: " ≈ ") }
        guard comparison.groups.joined().count > names.count else { return groups.joined(separator: " < ") }
        let order = comparison.ranking.map { names[$0] }.joined(separator: ", ")
        return "\(order); not told apart within each of these groups, but between them: "
            + groups.joined(separator: "; ")
    }

    /// A sentence for each pair that is too close to tell apart.
    static func closePairs(_ comparison: Comparison) -> [String] { sentences(comparison.closePairs, comparison) }

    /// A sentence for each pair of which the rounds say nothing.
    static func noisyPairs(_ comparison: Comparison) -> [String] { sentences(comparison.noisyPairs, comparison) }

    private static func sentences(_ pairs: [Comparison.Pair], _ comparison: Comparison) -> [String] {
        pairs.map { comparison.oriented($0) }.map { pair in
            let (first, second) = (comparison.rows[pair.first].model.name, comparison.rows[pair.second].model.name)
            return "\(first) and \(second): ratio \(interval(pair.ratio))"
        }
    }

    /// For instance `1.004, 0.995 to 1.012`.
    static func interval(_ ratio: PairedRatio) -> String {
        let median = ComparisonTable.ratio(ratio.median)
        guard let interval = ratio.interval else { return median }
        let (low, high) = (ComparisonTable.ratio(interval.lowerBound), ComparisonTable.ratio(interval.upperBound))
        return "\(median), \(low) to \(high)"
    }

    /// What a model's accuracy costs against its baseline; `nil` where one of them has no published accuracy, or the
    /// two were published for different sizes.
    static func price(_ comparison: Comparison, index: Int) -> String? {
        let row = comparison.rows[index]
        let baseline = comparison.rows[comparison.entries[index].baseline]
        guard row.baseline != nil, let published = row.model.published, let reference = baseline.model.published,
            published.imageSide == reference.imageSide, let top1 = published.value, let other = reference.value
        else { return nil }
        let time =
            row.ratio.verdict == .tooClose || row.ratio.verdict == .tooNoisy
            ? "time \(row.ratio.verdict.rawValue) to tell"
            : String(
                format: "%+.2f ms (%+.1f %%)", (row.ratio.median - 1) * baseline.medianTime,
                (row.ratio.median - 1) * 100)
        return "\(row.model.name) against \(baseline.model.name): "
            + String(format: "%+.1f", top1 - other) + " points of published top-1, " + time
    }

    /// Every ``price(_:index:)`` that there is.
    static func prices(_ comparison: Comparison) -> [String] {
        comparison.rows.indices.compactMap { price(comparison, index: $0) }
    }

    /// What was published about accuracies in words, and where the figures come from.
    static func sources(_ comparison: Comparison) -> [String] {
        let models = comparison.rows.map(\.model)
        let remarks = models.filter { $0.remark != nil }.grouped { $0.remark! }
        return models.compactMap(\.source).grouped { $0 }.map(\.key)
            + remarks.map { "In words, of \($0.elements.map(\.name).joined(separator: ", ")): \($0.key)" }
    }

    /// How close pairs were told apart, in one sentence.
    static func rule(_ comparison: Comparison) -> String {
        let least = ComparisonTable.percent(PairedRatio.leastDifference)
        guard let rank = SignTest.rank(count: comparison.settings.rounds) else {
            return """
                Nothing is told apart by \(comparison.settings.rounds) rounds; \(SignTest.leastCount) are the least.
                """
        }
        return """
            Two models are told apart if one is the faster in \(comparison.settings.rounds - rank + 1) of the \
            \(comparison.settings.rounds) rounds or more (a sign test: \(Int(SignTest.confidence * 100)) % \
            confidence), and by more than \(least) at the median.
            """
    }

    /// The settings in one line.
    static func settings(_ comparison: Comparison) -> String {
        let settings = comparison.settings
        let sizes = Set(comparison.rows.map(\.model.imageSize))
        let images = sizes.count == 1 ? ", images of \(sizes.first!)" : ""
        return """
            batch \(settings.batch), \(settings.threads) thread\(settings.threads == 1 ? "" : "s")\(images), \
            \(settings.precisions); \(settings.rounds) round\(settings.rounds == 1 ? "" : "s") of \(settings.runsPerRound) measured \
            runs each; peak \(String(format: "%.1f", settings.peak)) GFLOP/s
            """
    }
}
