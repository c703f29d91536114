import CETNetCheckpoint

/// Tables as text that spreadsheets read.
enum CSV {
    /// A title row and the others (RFC 4180, but for line ends). `null` is an empty cell.
    static func text(titles: [String], rows: [[JSONValue]]) -> String {
        let lines = [titles.map(quoted)] + rows.map { $0.map(cell) }
        return lines.map { $0.joined(separator: ",") + "\n" }.joined()
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
