import CETNet
import CETNetCheckpoint

/// The figures of one model, image size, batch, number of threads and of sessions.
struct BenchResult {
    let model: String
    let workload: Workload
    let figures: Workload.Figures
    let rates: ReferenceRates.Rates
    /// Multiply-adds of one image.
    let multiplyAdds: Int

    init(model: String, workload: Workload, figures: Workload.Figures, rates: ReferenceRates.Rates) {
        self.model = model
        self.workload = workload
        self.figures = figures
        self.rates = rates
        // The size has been run, so it is one that can be.
        multiplyAdds = (try? workload.model.multiplyAdds(imageSize: workload.imageSize)) ?? 0
    }

    /// Billions of floating point operations per second.
    var gigaflops: Double { 2 * Double(multiplyAdds) * figures.imagesPerSecond / 1e9 }

    /// What the files hold, in order.
    var fields: [JSONValue.Member] {
        let times = figures.times
        return [
            .init("model", .string(model)),
            .init("image_size", .string(workload.imageSize.description)),
            .init("batch", .integer(workload.batch)),
            .init("threads", .integer(workload.threads)),
            .init("sessions", .integer(workload.sessions)),
            .init("load_ms", .rounded(workload.loadTime)),
            .init("first_run_ms", .rounded(figures.firstRunTime)),
            .init("mean_ms", .rounded(times.mean)),
            .init("median_ms", .rounded(times.median)),
            .init("min_ms", .rounded(times.min)),
            .init("max_ms", .rounded(times.max)),
            .init("p90_ms", .rounded(times.percentile(90))),
            .init("p95_ms", .rounded(times.percentile(95))),
            .init("p99_ms", .rounded(times.percentile(99))),
            .init("images_per_second", .rounded(figures.imagesPerSecond)),
            .init("gflops", .rounded(gigaflops)),
            .init("sgemm_gflops", .rounded(rates.matrixProduct)),
            .init("peak_gflops", .rounded(rates.fusedMultiplyAddPeak)),
            .init("peak_rss_bytes", .integer(figures.peakResidentBytes)),
            .init("arena_bytes", .integer(figures.arenaBytes)),
            .init("weights_bytes", .integer(workload.model.weightBytes)),
            .init("allocations_per_run", figures.allocationsPerRun.map { .rounded($0) } ?? .null),
        ]
    }
}
