/// The files of a comparison's report.
package enum ComparisonReport {
    /// Names and texts.
    package static func files(_ comparison: Comparison) -> [(name: String, text: String)] {
        [("report.json", ComparisonFiles.json(comparison)), ("report.csv", ComparisonFiles.csv(comparison))]
    }
}
