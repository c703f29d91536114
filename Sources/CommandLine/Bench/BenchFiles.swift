import CETNetCheckpoint

/// The files that `cetnet bench` writes.
enum BenchFiles {
    /// One object; a line for the machine and one for each result.
    static func json(machine: MachineReport, results: [BenchResult]) -> String {
        """
        {"machine": \(JSONValue.object(machine.fields).line),
         "results": [
          \(results.map { JSONValue.object($0.fields).line }.joined(separator: ",\n  "))
        ]}

        """
    }

    /// A title row and one row for each result.
    static func csv(_ results: [BenchResult]) -> String {
        CSV.text(titles: results[0].fields.map(\.key), rows: results.map { $0.fields.map(\.value) })
    }
}
