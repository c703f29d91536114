/// A report as one page that needs no other file.
enum ReportHTML {
    static func text(_ document: ReportDocument) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Markup.escaped(document.title))</title>
        <style>
        \(PlotStyle.css)
        \(css)
        </style>
        </head>
        <body>
        <main>
        <h1>\(Markup.escaped(document.title))</h1>
        \(document.blocks.map(block).joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private static let css = """
        body { margin: 0; background: var(--ground); color: var(--ink);
          font: 15px/1.5 \(PlotStyle.fontFamily); }
        main { max-width: 1320px; margin: 0 auto; padding: 24px; }
        h1 { font-size: 25px; line-height: 1.25; margin: 8px 0 12px; }
        h2 { font-size: 18px; margin: 36px 0 8px; }
        p, li { max-width: 780px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; }
        th, td { padding: 4px 6px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--grid); }
        th { color: var(--quiet); font-weight: 600; }
        .right { text-align: right; }
        tbody tr:hover { background: var(--panel); }
        pre { background: var(--panel); padding: 12px 14px; font-size: 12.5px; overflow-x: auto; border-radius: 6px; }
        /* As wide as the page; on a narrow one it scrolls before its text becomes too small to read. */
        svg.plot { width: 100%; min-width: 620px; max-width: 1180px; height: auto; box-sizing: border-box; border: 1px solid var(--grid); border-radius: 6px; }
        .note { color: var(--quiet); }
        """

    private static func block(_ block: ReportDocument.Block) -> String {
        switch block {
        case .heading(let text): "<h2>\(Markup.escaped(text))</h2>"
        case .paragraph(let text): "<p>\(Markup.escaped(text))</p>"
        case .list(let items): "<ul>\n\(items.map { "<li>\(Markup.escaped($0))</li>" }.joined(separator: "\n"))\n</ul>"
        case .code(let text): "<pre>\(Markup.escaped(text))</pre>"
        case .table(let columns, let rows): table(columns, rows)
        case .plot(let plot):
            (plot.inPage.map { "<div class=\"scroll\">\($0)</div>" } ?? "")
                + (plot.note.isEmpty ? "" : "<p class=\"note\">\(Markup.escaped(plot.note))</p>")
        }
    }

    private static func table(
        _ columns: [(title: String, alignment: TextTable.Alignment)], _ rows: [[String]]
    ) -> String {
        func cells(_ texts: [String], _ tag: String) -> String {
            zip(columns, texts).map { column, text in
                let style = column.alignment == .right ? " class=\"right\"" : ""
                return "<\(tag)\(style)>\(Markup.escaped(text))</\(tag)>"
            }.joined()
        }
        return """
            <div class="scroll"><table>
            <thead><tr>\(cells(columns.map(\.title), "th"))</tr></thead>
            <tbody>
            \(rows.map { "<tr>\(cells($0, "td"))</tr>" }.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }
}
