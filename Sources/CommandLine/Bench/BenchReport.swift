import CETNet
import Foundation

/// The figures as people read them.
enum BenchReport {
    /// - Parameters:
    ///   - subjects: of each result.
    ///   - layers: how the steps are shown; `nil` for not at all.
    static func text(
        subjects: [BenchSubject], machine: MachineReport, results: [BenchResult], layers: LayerReport.Choice?
    ) -> String {
        var parts: [String] = []
        var shown: (name: String, size: ImageSize)?
        for (subject, result) in zip(subjects, results) {
            let heading = (name: subject.name, size: result.workload.imageSize)
            if shown == nil || shown! != heading {
                let text = head(subject, result)
                parts.append(shown == nil ? text + "\n" + machine.text : text)
                shown = heading
            }
            parts.append(block(result))
            if let layers, let profile = result.figures.layers {
                parts.append(LayerReport.text(profile, layers))
            }
        }
        return parts.joined(separator: "\n\n")
    }

    /// The model and its size.
    private static func head(_ subject: BenchSubject, _ result: BenchResult) -> String {
        let weights = subject.seed.map { "random weights of seed \($0)" } ?? "weights from \(subject.name)"
        let workload = result.workload
        let count = result.figures.executedMultiplyAdds
        let executed =
            count == result.multiplyAdds
            ? "" : "\n            \(Figures.billions(count)) multiply-adds executed for them"
        return """
            model       \(subject.configuration.variant ?? subject.name), \(weights), images of \(workload.imageSize), \
            \(workload.model.precision.rawValue)
                        \(Figures.millions(subject.parameters)) parameters, \(Figures.billions(result.multiplyAdds)) \
            multiply-adds (\(Figures.billions(2 * result.multiplyAdds)) floating point operations) per image\(executed)
            """
    }

    private static func block(_ result: BenchResult) -> String {
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
            \(workload.sessions == 1 ? "" : ", \(workload.sessions) sessions")
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
