import CETNetCheckpoint

/// Tables as text that spreadsheets read.
enum CSV {
    /// A title row and the others (RFC 4180, but for line ends). `null` is an empty cell.
    static func text(titles: [String], rows: [[JSONValue]]) -> String {
        let lines = [titles.map(quoted)] + rows.map { $0.map(cell) }
        return lines.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// The cells of a table that others have written (RFC 4180, with any line ends); empty lines are passed over.
    static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var cell = ""
        var isQuoted = false
        func endRow() {
            if !(row.isEmpty && cell.isEmpty) { rows.append(row + [cell]) }
            (row, cell) = ([], "")
        }
        var characters = Substring(text)
        while let character = characters.popFirst() {
            switch character {
            case "\"" where isQuoted && characters.first == "\"":
                characters.removeFirst()
                cell.append("\"")
            case "\"" where isQuoted || cell.isEmpty: isQuoted.toggle()
            case "," where !isQuoted:
                row.append(cell)
                cell = ""
            case "\n", "\r\n", "\r": if isQuoted { cell.append(character) } else { endRow() }
            default: cell.append(character)
            }
        }
        endRow()
        return rows
    }

    private static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): quoted(text)
        default: quoted(value.line)
        }
    }

    private static func quoted(_ text: String) -> String {
        text.contains { ",\"\n\r".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
