/// The files that `cetnet bench` writes.
enum BenchFiles {
    /// One object; a line for the machine and one for each result.
    static func json(machine: MachineReport, results: [BenchResult]) -> String {
        """
        {"machine": \(JSON.object(machine.fields).text),
         "results": [
          \(results.map { JSON.object($0.fields).text }.joined(separator: ",\n  "))
        ]}

        """
    }

    /// A title row and one row for each result (RFC 4180, but for line ends).
    static func csv(_ results: [BenchResult]) -> String {
        let rows = [results[0].fields.map(\.key)] + results.map { $0.fields.map { cell($0.value) } }
        return rows.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private static func cell(_ value: JSON) -> String {
        switch value {
        case .null: ""
        case .string(let text):
            text.contains { ",\"\n\r".contains($0) }
                ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        default: value.text
        }
    }
}
