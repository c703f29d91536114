/// A comparison as the terminal shows it.
enum ComparisonText {
    static func text(_ comparison: Comparison) -> String {
        let cells = ComparisonTable(comparison)
        var table = TextTable(cells.columns)
        for row in cells.rows { table.add(row) }
        var parts = [
            """
            \(comparison.title)
            \(Findings.settings(comparison))
            \(comparison.machineText)
            """,
            table.text,
        ]
        if comparison.rows.count > 1 {
            parts.append("Fastest first: \(Findings.ranking(comparison))")
            let close = Findings.closePairs(comparison)
            let noisy = Findings.noisyPairs(comparison)
            if close.isEmpty, noisy.isEmpty { parts.append("All are told apart.") }
            for (title, pairs) in [("Too close to tell apart", close), ("Too noisy to tell", noisy)]
            where !pairs.isEmpty {
                parts.append("\(title):\n" + pairs.map { "  \($0)" }.joined(separator: "\n"))
            }
            parts.append(Findings.rule(comparison))
        }
        let prices = Findings.prices(comparison)
        if !prices.isEmpty {
            parts.append("What accuracy costs:\n" + prices.map { "  \($0)" }.joined(separator: "\n"))
        }
        let sources = Findings.sources(comparison)
        if !sources.isEmpty {
            parts.append("Published accuracies:\n" + sources.map { "  \($0)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }
}
