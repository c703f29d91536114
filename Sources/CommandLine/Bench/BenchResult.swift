import CETNet

/// The figures of one batch and thread count.
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
    var fields: [(key: String, value: JSON)] {
        let times = figures.times
        return [
            ("model", .string(model)),
            ("image_size", .string(workload.imageSize.description)),
            ("batch", .integer(workload.batch)),
            ("threads", .integer(workload.threads)),
            ("load_ms", .rounded(workload.loadTime)),
            ("first_run_ms", .rounded(figures.firstRunTime)),
            ("mean_ms", .rounded(times.mean)),
            ("median_ms", .rounded(times.median)),
            ("min_ms", .rounded(times.min)),
            ("max_ms", .rounded(times.max)),
            ("p90_ms", .rounded(times.percentile(90))),
            ("p95_ms", .rounded(times.percentile(95))),
            ("p99_ms", .rounded(times.percentile(99))),
            ("images_per_second", .rounded(figures.imagesPerSecond)),
            ("gflops", .rounded(gigaflops)),
            ("sgemm_gflops", .rounded(rates.matrixProduct)),
            ("peak_gflops", .rounded(rates.fusedMultiplyAddPeak)),
            ("peak_rss_bytes", .integer(figures.peakResidentBytes)),
            ("arena_bytes", .integer(figures.arenaBytes)),
            ("weights_bytes", .integer(workload.model.weightBytes)),
            ("allocations_per_run", figures.allocationsPerRun.map { .rounded($0) } ?? .null),
        ]
    }
}
