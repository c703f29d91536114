import CETNetCheckpoint
import Foundation

/// A table in aligned columns, two spaces apart; each cell is one line of printable text.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    private var alignments: [Alignment]
    private var rows: [[String]]

    init(_ columns: [(title: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.title)]
    }

    mutating func add(_ row: [String]) {
        precondition(row.count == alignments.count, "a row of \(row.count) in a table of \(alignments.count) columns")
        rows.append(row.map { printable($0) })
    }

    /// The title row and the others, without a line break at the end.
    var text: String {
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += alignments[column] == .left ? cell + padding : padding + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}

/// Numbers as people read them.
enum Figures {
    /// For instance `23.442 M`.
    static func millions(_ count: Int) -> String { String(format: "%.3f M", Double(count) / 1e6) }

    /// For instance `4.246 G`; in millions below a billion.
    static func billions(_ count: Int) -> String {
        count < 1_000_000_000 ? millions(count) : String(format: "%.3f G", Double(count) / 1e9)
    }

    /// For instance `23,441,512`.
    static func grouped(_ count: Int) -> String {
        var text = ""
        for (index, digit) in String(count).reversed().enumerated() {
            if index > 0 && index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// For instance ` 99.87 %`, always of the same width.
    static func percent(_ probability: Float) -> String { String(format: "%6.2f %%", Double(probability) * 100) }
}
