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

    /// What is shown, beside the sums by kind of operator.
    struct Choice {
        let order: Order
        /// Sums instead of the steps.
        let grouping: Grouping?
    }

    static func text(_ profile: LayerProfile, _ choice: Choice) -> String {
        let sum = profile.times.reduce(0, +)
        let whole = profile.wholeTime
        let first =
            choice.grouping.map { grouping in
                sumTable(
                    ordered(profile.sums(by: grouping), choice.order), title: grouping.title, profile, totalled: true)
            } ?? stepTable(profile, order: choice.order)
        return """
            \(first)

            \(sumTable(profile.kinds, title: "kind of operator", profile, totalled: false))

            The steps' sum is \(String(format: "%.3f", sum)) ms, a run without a clock takes \
            \(String(format: "%.3f", whole)) ms: a difference of \(String(format: "%+.2f %%", (sum / whole - 1) * 100)).
            """
    }

    private static func ordered(_ sums: [LayerProfile.Sum], _ order: Order) -> [LayerProfile.Sum] {
        order == .order ? sums : sums.sorted { $0.time > $1.time }
    }

    private static func stepTable(_ profile: LayerProfile, order: Order) -> String {
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
        steps.add([
            "sum of the steps", "", "", String(format: "%.3f", sum), share(sum, of: sum), rate(multiplyAdds, sum),
        ])
        return steps.text
    }

    private static func sumTable(
        _ sums: [LayerProfile.Sum], title: String, _ profile: LayerProfile, totalled: Bool
    ) -> String {
        let all = LayerProfile.Sum(
            name: "sum of the steps", stepCount: profile.steps.count, time: profile.times.reduce(0, +),
            multiplyAdds: profile.steps.reduce(0) { $0 + $1.multiplyAdds })
        var table = TextTable([
            (title, .left), ("steps", .right), ("ms", .right), ("share", .right), ("GFLOP/s", .right),
        ])
        for row in totalled ? sums + [all] : sums {
            table.add([
                row.name, String(row.stepCount), String(format: "%.3f", row.time), share(row.time, of: all.time),
                rate(row.multiplyAdds * profile.batch, row.time),
            ])
        }
        return table.text
    }

    private static func share(_ time: Double, of sum: Double) -> String {
        String(format: "%.2f %%", sum > 0 ? time / sum * 100 : 0)
    }

    /// Blank where nothing is multiplied.
    private static func rate(_ multiplyAdds: Int, _ milliseconds: Double) -> String {
        multiplyAdds == 0 || milliseconds == 0
            ? "" : String(format: "%.1f", 2 * Double(multiplyAdds) / milliseconds / 1e6)
    }
}
