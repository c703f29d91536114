/// The files of a comparison's report.
enum ComparisonReport {
    /// Names and texts: `report.html`, which needs no other; `report.md` and the plots that it shows; `report.json`;
    /// `report.csv`.
    static func files(_ comparison: Comparison) -> [(name: String, text: String)] {
        let document = ReportDocument(comparison)
        return [
            ("report.html", ReportHTML.text(document)), ("report.md", ReportMarkdown.text(document)),
            ("report.json", ComparisonFiles.json(comparison)), ("report.csv", ComparisonFiles.csv(comparison)),
        ] + document.plots.compactMap { plot in plot.alone.map { (plot.file, $0) } }
    }
}
