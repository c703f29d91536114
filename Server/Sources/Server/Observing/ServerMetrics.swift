import Metrics

/// What is counted and measured, under the names that `/metrics` shows.
struct ServerMetrics: Sendable {
    /// Of one model.
    private struct ModelMetrics: Sendable {
        let images: Counter
        let batchSize: Recorder
        let queue: Timer
        let decode: Timer
        let compute: Timer
        let length: Meter
    }

    private let factory: PrometheusFactory
    private let models: [ModelMetrics]

    init(_ repository: ModelRepository) {
        let factory = PrometheusFactory()
        self.factory = factory
        models = repository.models.map { model in
            let labels = [("model", model.name)]
            return ModelMetrics(
                images: Counter(label: "cetnet_images_total", dimensions: labels, factory: factory),
                batchSize: Recorder(label: "cetnet_batch_size", dimensions: labels, factory: factory),
                queue: Timer(label: "cetnet_queue_seconds", dimensions: labels, factory: factory),
                decode: Timer(label: "cetnet_decode_seconds", dimensions: labels, factory: factory),
                compute: Timer(label: "cetnet_compute_seconds", dimensions: labels, factory: factory),
                length: Meter(label: "cetnet_queue_length", dimensions: labels, factory: factory))
        }
    }

    /// An image was decoded and prepared.
    func decoded(_ item: Item) { models[item.job.model.index].decode.record(duration: item.timings.decode) }

    /// Images were run together.
    func ran(_ items: [Item], from start: ContinuousClock.Instant, compute: Duration) {
        let model = models[items[0].job.model.index]
        model.images.increment(by: items.count)
        model.batchSize.record(items.count)
        model.compute.record(duration: compute)
        for item in items { model.queue.record(duration: item.timings.queue + (start - item.since)) }
    }

    /// A request was answered. `route` is the address' pattern, so that strangers cannot make series.
    func answered(route: String, method: String, status: Int, duration: Duration) {
        let labels = [("route", route), ("method", method), ("status", "\(status)")]
        Counter(label: "cetnet_http_requests_total", dimensions: labels, factory: factory).increment()
        Timer(label: "cetnet_http_request_seconds", dimensions: [("route", route)], factory: factory).record(
            duration: duration)
    }

    /// Everything, in Prometheus' text format.
    func text(queueLengths: [Int]) -> String {
        for (model, length) in zip(models, queueLengths) { model.length.set(length) }
        return factory.text()
    }
}
