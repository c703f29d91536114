import CETNetCheckpoint

/// The files that `cetnet bench` writes.
enum BenchFiles {
    /// One object; a line for the machine and one for each result, with every run's time and, where they were asked
    /// for, the steps.
    static func json(machine: MachineReport, results: [BenchResult], endToEnds: [EndToEnd] = []) -> String {
        let ways = endToEnds.isEmpty ? "" : ",\n \"end_to_end\": " + JSONValue.array(endToEnds.map(\.json)).line
        return """
            {"machine": \(JSONValue.object(machine.fields).line),
             "results": [
              \(results.map { JSONValue.object($0.fields + details($0)).line }.joined(separator: ",\n  "))
            ]\(ways)}

            """
    }

    /// What only JSON has room for.
    private static func details(_ result: BenchResult) -> [JSONValue.Member] {
        [
            .init("multiply_adds", .integer(result.multiplyAdds)),
            .init("executed_multiply_adds", .integer(result.figures.executedMultiplyAdds)),
            .init("samples_ms", .array(result.figures.samples.map { .rounded($0) })),
        ]
            + (result.figures.layers.map { [.init("layers", .array(steps($0).map { .object($0) }))] } ?? [])
    }

    private static func steps(_ profile: LayerProfile) -> [[JSONValue.Member]] {
        zip(profile.steps, profile.costs).map { step, cost in
            [
                .init("step", .string(step.name)),
                .init(
                    "operators", .string(step.operators.isEmpty ? step.kind : step.operators.joined(separator: ", "))),
                .init("part", .string(step.part)),
                .init("stage", step.stage.map { .integer($0 + 1) } ?? .null),
                .init(
                    "output", step.outputShape.map { .string($0.map(String.init).joined(separator: "x")) } ?? .null),
                .init("ms", .rounded(cost.milliseconds)),
                .init("multiply_adds", .integer(cost.multiplyAdds)),
                .init("executed_multiply_adds", .integer(step.executedMultiplyAdds * profile.batch)),
                .init("gflops", cost.gigaflops.map { .rounded($0) } ?? .null),
            ]
        }
    }

    /// A title row and one row for each result, or for each step of each result, with what it was measured on, so that
    /// tables of several runs can be put together.
    static func csv(machine: MachineReport, _ results: [BenchResult]) -> String {
        let origin = machine.fields.filter { MachineReport.originKeys.contains($0.key) }
        let rows = results.flatMap { result -> [[JSONValue.Member]] in
            guard let layers = result.figures.layers else { return [result.fields + origin] }
            return steps(layers).map { Array(result.fields.prefix(5)) + $0 + origin }
        }
        return CSV.text(titles: rows[0].map(\.key), rows: rows.map { $0.map(\.value) })
    }

    /// Events of Chrome's trace format: a process for each result, a row for its steps, one after the other.
    static func trace(_ results: [BenchResult]) -> String {
        var events: [JSONValue] = []
        for (process, result) in results.enumerated() {
            guard let layers = result.figures.layers else { continue }
            let name = "\(result.model), batch \(result.workload.batch), \(result.workload.threads) threads"
            events.append([
                "name": "process_name", "ph": "M", "pid": .integer(process), "args": ["name": .string(name)],
            ])
            var start = 0.0
            for (step, cost) in zip(layers.steps, layers.costs) {
                events.append([
                    "name": .string(step.name), "cat": .string(step.part), "ph": "X", "pid": .integer(process),
                    "tid": 0, "ts": .rounded(start * 1000), "dur": .rounded(cost.milliseconds * 1000),
                    "args": [
                        "kind": .string(step.kind), "operators": .string(step.operators.joined(separator: ", ")),
                        "gflops": cost.gigaflops.map { .rounded($0) } ?? .null,
                    ],
                ])
                start += cost.milliseconds
            }
        }
        let lines = events.map(\.line).joined(separator: ",\n ")
        return "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n \(lines)\n]}\n"
    }
}
