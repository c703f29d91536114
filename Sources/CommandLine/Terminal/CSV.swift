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
        var cell: [UInt8] = []
        var isQuoted = false
        func endCell() {
            row.append(String(decoding: cell, as: UTF8.self))
            cell = []
        }
        func endRow() {
            if row.isEmpty && cell.isEmpty { return }
            endCell()
            rows.append(row)
            row = []
        }
        // By bytes: "\r\n", and a comma with an accent, are one character each.
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\"") where isQuoted && bytes.first == byte:
                bytes.removeFirst()
                cell.append(byte)
            case UInt8(ascii: "\"") where isQuoted || cell.isEmpty: isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted: endCell()
            case UInt8(ascii: "\n") where !isQuoted, UInt8(ascii: "\r") where !isQuoted: endRow()
            default: cell.append(byte)
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
        guard text.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else { return text }
        return "\"" + text.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}
