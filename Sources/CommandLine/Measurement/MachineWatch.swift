import Foundation

/// Looks for reasons not to trust the figures.
final class MachineWatch {
    /// Share of the machine's processors that others may use.
    static let idleShare = 0.05
    private let start = ProcessorUse.now

    /// How many processors other programs kept busy since the beginning.
    var processorsOfOthers: Double? { ProcessorUse.now.processorsOfOthers(since: start) }

    func warnings(machine: MachineReport, results: [BenchResult]) -> [String] {
        var warnings: [String] = []
        if MachineReport.buildConfiguration == "debug" {
            warnings.append(
                "this cetnet was built for debugging and is many times slower; build it with swift build -c release")
        }
        let processors = Double(Machine.processorCount)
        if let others = machine.processorsOfOthers {
            if others > Self.idleShare * processors {
                warnings.append(
                    String(
                        format: "the machine was busy: others used %.2f of its %.0f processors while this ran",
                        others, processors))
            }
        } else if machine.loadAverage > processors {
            warnings.append(
                String(
                    format: "the machine is busy: a load average of %.1f on %.0f processors", machine.loadAverage,
                    processors))
        }
        for result in results where !result.figures.times.isTrustworthy {
            warnings.append(
                String(
                    format:
                        "batch %d on %d thread(s): the times differ too much to be trusted, P90 is %.2f x the median",
                    result.workload.batch, result.workload.threads, result.figures.times.spread))
        }
        return warnings
    }
}
