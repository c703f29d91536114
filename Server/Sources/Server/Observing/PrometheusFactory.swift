import Foundation
import Metrics
import Synchronization

/// Keeps metrics and writes them in Prometheus' text format, version 0.0.4.
///
/// Counters are counters, meters and recorders that do not aggregate are gauges; timers, in seconds, and recorders that
/// aggregate are histograms.
final class PrometheusFactory: MetricsFactory {
    /// A metric with certain labels.
    private struct Series: Hashable {
        let name: String
        let labels: String
    }

    private let handlers = Mutex<[Series: any PrometheusHandler]>([:])

    /// Bounds of histograms of seconds, and of counts such as the size of a batch.
    static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    static let counts: [Double] = [1, 2, 4, 8, 16, 32, 64]

    private func handler<Handler: PrometheusHandler>(
        _ name: String, _ dimensions: [(String, String)], _ make: () -> Handler
    ) -> Handler {
        let labels = dimensions.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
        return handlers.withLock { handlers in
            let series = Series(name: name, labels: labels)
            if let known = handlers[series] as? Handler { return known }
            let handler = make()
            handlers[series] = handler
            return handler
        }
    }

    private static func escape(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// Everything as text.
    func text() -> String {
        var text = ""
        let byName = Dictionary(grouping: handlers.withLock { Array($0) }, by: \.key.name)
        for (name, series) in byName.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(type(of: series[0].value).type)\n"
            for (key, handler) in series.sorted(by: { $0.key.labels < $1.key.labels }) {
                for (suffix, label, value) in handler.samples() {
                    let labels = [key.labels, label].filter { !$0.isEmpty }.joined(separator: ",")
                    text += name + suffix + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n"
                }
            }
        }
        return text
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, dimensions) { Count() }
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? handler(label, dimensions) { Histogram(bounds: Self.counts) } : handler(label, dimensions) { Gauge() }
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(label, dimensions) { Histogram(bounds: Self.seconds) }
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        handler(label, dimensions) { Gauge() }
    }
    // Series live as long as the server: there are as many as models and routes.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
}

/// What a series shows: lines, each with what is added to the name, a label and a value.
private protocol PrometheusHandler: AnyObject, Sendable {
    static var type: String { get }
    func samples() -> [(suffix: String, label: String, value: String)]
}

private final class Count: CounterHandler, PrometheusHandler {
    static let type = "counter"
    private let value = Atomic<Int64>(0)
    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }
    func samples() -> [(suffix: String, label: String, value: String)] {
        [("", "", "\(value.load(ordering: .relaxed))")]
    }
}

private final class Gauge: MeterHandler, RecorderHandler, PrometheusHandler {
    static let type = "gauge"
    private let value = Mutex<Double>(0)
    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }
    func samples() -> [(suffix: String, label: String, value: String)] {
        [("", "", "\(value.withLock { $0 })")]
    }
}

private final class Histogram: TimerHandler, RecorderHandler, PrometheusHandler {
    static let type = "histogram"
    private let bounds: [Double]
    private let state: Mutex<(counts: [Int], sum: Double)>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex((Array(repeating: 0, count: bounds.count + 1), 0))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func samples() -> [(suffix: String, label: String, value: String)] {
        let (counts, sum) = state.withLock { $0 }
        var total = 0
        var samples = zip(counts, bounds.map { "\($0)" } + ["+Inf"]).map { count, bound in
            total += count
            return (suffix: "_bucket", label: "le=\"\(bound)\"", value: "\(total)")
        }
        samples.append(("_sum", "", "\(sum)"))
        samples.append(("_count", "", "\(total)"))
        return samples
    }
}
