import CETNet
import Foundation

/// The tables of `--per-layer`.
enum LayerReport {
    /// The order of the steps in the table.
    enum Order: String, CaseIterable {
        /// As they are computed.
        case order
        /// The slowest first.
        case time
    }

    static func text(_ profile: LayerProfile, order: Order) -> String {
        let times = profile.times
        let sum = times.reduce(0, +)
        var steps = TextTable([
            ("step", .left), ("operators", .left), ("output", .right), ("ms", .right), ("share", .right),
            ("GFLOP/s", .right),
        ])
        let indices =
            order == .order ? Array(profile.steps.indices) : profile.steps.indices.sorted { times[$0] > times[$1] }
        for index in indices {
            let step = profile.steps[index]
            steps.add([
                step.name, step.operators.isEmpty ? step.kind : step.operators.joined(separator: ", "),
                step.outputShape?.map(String.init).joined(separator: "x") ?? "",
                String(format: "%.3f", times[index]), share(times[index], of: sum),
                rate(step.multiplyAdds * profile.batch, times[index]),
            ])
        }
        let multiplyAdds = profile.steps.reduce(0) { $0 + $1.multiplyAdds } * profile.batch
        steps.add(["sum of the steps", "", "", String(format: "%.3f", sum), share(sum, of: sum), rate(multiplyAdds, sum)])

        var kinds = TextTable([
            ("kind of operator", .left), ("steps", .right), ("ms", .right), ("share", .right), ("GFLOP/s", .right),
        ])
        for kind in profile.kinds {
            kinds.add([
                kind.name, String(kind.stepCount), String(format: "%.3f", kind.time), share(kind.time, of: sum),
                rate(kind.multiplyAdds * profile.batch, kind.time),
            ])
        }
        let whole = profile.wholeTime
        return """
            \(steps.text)

            \(kinds.text)

            The steps' sum is \(String(format: "%.3f", sum)) ms, a run without a clock takes \
            \(String(format: "%.3f", whole)) ms: a difference of \(String(format: "%+.2f %%", (sum / whole - 1) * 100)).
            """
    }

    private static func share(_ time: Double, of sum: Double) -> String {
        String(format: "%.2f %%", sum > 0 ? time / sum * 100 : 0)
    }

    /// Blank where nothing is multiplied.
    private static func rate(_ multiplyAdds: Int, _ milliseconds: Double) -> String {
        multiplyAdds == 0 || milliseconds == 0 ? "" : String(format: "%.1f", 2 * Double(multiplyAdds) / milliseconds / 1e6)
    }
}
