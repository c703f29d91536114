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
        let sum = profile.costs.sum
        let whole = profile.wholeTime
        let first =
            choice.grouping.map { grouping in
                let costs = profile.costs { grouping.group(part: $0.part, stage: $0.stage) }
                return sumTable(
                    ordered(costs, choice.order) + [("sum of the steps", sum)], title: grouping.title, of: sum)
            } ?? stepTable(profile, order: choice.order)
        return """
            \(first)

            \(sumTable(ordered(profile.costs(by: \.kind), .time), title: "kind of operator", of: sum))

            The steps' sum is \(String(format: "%.3f", sum.milliseconds)) ms, a run without a clock takes \
            \(String(format: "%.3f", whole)) ms: a difference of \
            \(String(format: "%+.2f %%", (sum.milliseconds / whole - 1) * 100)).
            """
    }

    private static func ordered<Named>(_ costs: [(Named, cost: Cost)], _ order: Order) -> [(Named, cost: Cost)] {
        order == .order ? costs : costs.sorted { $0.cost.milliseconds > $1.cost.milliseconds }
    }

    private static func stepTable(_ profile: LayerProfile, order: Order) -> String {
        let sum = profile.costs.sum
        var table = TextTable([
            ("step", .left), ("operators", .left), ("output", .right), ("ms", .right), ("share", .right),
            ("GFLOP/s", .right),
        ])
        for (step, cost) in ordered(zip(profile.steps, profile.costs).map { ($0, $1) }, order) {
            table.add(
                [
                    step.name, step.operators.isEmpty ? step.kind : step.operators.joined(separator: ", "),
                    step.outputShape?.map(String.init).joined(separator: "x") ?? "",
                ] + cells(cost, of: sum))
        }
        table.add(["sum of the steps", "", ""] + cells(sum, of: sum))
        return table.text
    }

    private static func sumTable(_ rows: [(name: String, cost: Cost)], title: String, of sum: Cost) -> String {
        var table = TextTable([
            (title, .left), ("steps", .right), ("ms", .right), ("share", .right), ("GFLOP/s", .right),
        ])
        for row in rows { table.add([row.name, String(row.cost.steps)] + cells(row.cost, of: sum)) }
        return table.text
    }

    /// Milliseconds, share, and the rate, which is blank where nothing is multiplied.
    private static func cells(_ cost: Cost, of sum: Cost) -> [String] {
        [
            String(format: "%.3f", cost.milliseconds),
            String(format: "%.2f %%", sum.milliseconds > 0 ? cost.milliseconds / sum.milliseconds * 100 : 0),
            cost.gigaflops.map { String(format: "%.1f", $0) } ?? "",
        ]
    }
}
