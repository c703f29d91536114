import CETNet
import Foundation

/// The figures as people read them.
enum BenchReport {
    /// - Parameter layers: how the steps are shown; `nil` for not at all.
    static func text(
        subject: BenchSubject, size: ImageSize, machine: MachineReport, results: [BenchResult],
        layers: LayerReport.Choice?
    ) -> String {
        let multiplyAdds = results[0].multiplyAdds
        let weights = subject.seed.map { "random weights of seed \($0)" } ?? "weights from \(subject.name)"
        var parts = [
            """
            model       \(subject.configuration.variant ?? subject.name), \(weights), images of \(size), \
            \(machine.precision)
                        \(Figures.millions(subject.parameters)) parameters, \(Figures.billions(multiplyAdds)) \
            multiply-adds (\(Figures.billions(2 * multiplyAdds)) floating point operations) per image
            \(machine.text)
            """
        ]
        for result in results {
            parts.append(block(result, sessions: machine.sessions))
            if let layers, let profile = result.figures.layers {
                parts.append(LayerReport.text(profile, layers))
            }
        }
        return parts.joined(separator: "\n\n")
    }

    private static func block(_ result: BenchResult, sessions: Int) -> String {
        let (workload, figures) = (result.workload, result.figures)
        let times = figures.times
        func ms(_ value: Double) -> String { String(format: "%.2f", value) }
        func mebibytes(_ bytes: Int) -> String { String(format: "%.1f MiB", Double(bytes) / 0x1p20) }
        func share(_ rate: Double) -> String {
            String(format: "%.1f GFLOP/s, of which the model does %.1f %%", rate, result.gigaflops / rate * 100)
        }
        let allocations = figures.allocationsPerRun.map { String(format: $0 == 0 ? "%.0f" : "%.2f", $0) }
        return """
            batch \(workload.batch), \(counted(workload.threads, "thread"))\
            \(sessions == 1 ? "" : ", \(sessions) sessions")
              load           \(ms(workload.loadTime)) ms
              first run      \(ms(figures.firstRunTime)) ms
              steady state   mean \(ms(times.mean)), median \(ms(times.median)), min \(ms(times.min)), max \
            \(ms(times.max)), P90 \(ms(times.percentile(90))), P95 \(ms(times.percentile(95))), P99 \
            \(ms(times.percentile(99))) ms per batch; \(counted(times.count, "run"))
              speed          \(String(format: "%.2f", figures.imagesPerSecond)) images/s, \
            \(String(format: "%.1f", result.gigaflops)) GFLOP/s
              SGEMM          \(share(result.rates.matrixProduct))
              FMA peak       \(share(result.rates.fusedMultiplyAddPeak))
              memory         peak resident \(mebibytes(figures.peakResidentBytes)), arena \
            \(mebibytes(figures.arenaBytes)), weights \(mebibytes(workload.model.weightBytes))
              allocations    \(allocations.map { "\($0) per run" } ?? "not counted; see Documentation/Benchmarks.md")
            """
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
