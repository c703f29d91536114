/// A report in Markdown, as GitHub reads it. Plots are files beside it.
enum ReportMarkdown {
    static func text(_ document: ReportDocument) -> String {
        (["# \(escaped(document.title))"] + document.blocks.map(block)).joined(separator: "\n\n") + "\n"
    }

    private static func block(_ block: ReportDocument.Block) -> String {
        switch block {
        case .heading(let text): "## \(escaped(text))"
        case .paragraph(let text): escaped(text)
        case .list(let items): items.map { "- \(escaped($0))" }.joined(separator: "\n")
        case .code(let text):
            text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
        case .table(let columns, let rows): table(columns, rows)
        case .plot(let plot):
            ((plot.alone == nil ? [] : ["![\(escaped(plot.title))](\(plot.file))"])
                + (plot.note.isEmpty ? [] : [escaped(plot.note)])).joined(separator: "\n\n")
        }
    }

    private static func table(
        _ columns: [(title: String, alignment: TextTable.Alignment)], _ rows: [[String]]
    ) -> String {
        let lines =
            [columns.map { escaped($0.title) }, columns.map { $0.alignment == .left ? ":--" : "--:" }]
            + rows.map { $0.map(escaped) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// Puts a backslash before what Markdown would read as its own; names of models may hold anything.
    private static func escaped(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "\\", "`", "*", "_", "[", "]", "<", ">", "|", "#", "&": output += "\\\(character)"
            case "\n", "\r", "\r\n": output += " "
            default: output.append(character)
            }
        }
        return output
    }
}
