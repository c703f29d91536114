import CETNet
import Foundation

/// One batch and thread count of a model: what is measured for one result.
struct Workload {
    let model: Model
    let imageSize: ImageSize
    let batch: Int
    /// Threads of each session.
    let threads: Int
    let sessions: Int
    let seed: UInt64
    /// How long loading the model took, in milliseconds.
    let loadTime: Double

    /// Of all sessions.
    var allThreads: Int { threads * sessions }

    /// How long to measure.
    enum Duration {
        case seconds(Double)
        /// Of each session.
        case runs(Int)
    }

    /// What was measured.
    struct Figures {
        /// Of the first session, in milliseconds, making the session included.
        let firstRunTime: Double
        /// Of the runs of all sessions, in milliseconds.
        let times: Distribution
        /// The same as they came, session by session.
        let samples: [Double]
        let imagesPerSecond: Double
        /// `nil` where allocations cannot be counted.
        let allocationsPerRun: Double?
        let arenaBytes: Int
        /// Multiply-adds that one image takes as they are computed.
        let executedMultiplyAdds: Int
        let peakResidentBytes: Int
        let layers: LayerProfile?
    }

    /// - Parameters:
    ///   - perLayer: whether to run with a clock in every second run; only for one session.
    ///   - rate: batches per second that come in for all sessions, each at its time; `nil`: each when the one before is
    ///     done. Times then hold the waiting.
    func measure(_ duration: Duration, warmup: Int, perLayer: Bool, rate: Double? = nil) throws -> Figures {
        let start = ContinuousClock.now
        let first = try Lane(model, threads: threads, imageSize: imageSize, batch: batch, seed: seed)
        _ = try first.run()
        let firstRunTime = start.duration(to: .now).milliseconds
        var lanes = [first]
        while lanes.count < sessions {
            lanes.append(
                try Lane(
                    model, threads: threads, imageSize: imageSize, batch: batch, seed: seed &+ UInt64(lanes.count)))
            _ = try lanes[lanes.count - 1].run()
        }
        for _ in 0..<warmup {
            for lane in lanes { _ = try lane.run() }
        }

        var layers: LayerProfile?
        let steady: SteadyState
        if perLayer {
            let profile = LayerProfile(steps: try first.session.steps(imageSize: imageSize), batch: batch)
            steady = try SteadyState.alternating(first, duration, profile: profile)
            layers = profile
        } else if sessions == 1, rate == nil {
            steady = try SteadyState.alone(first, duration)
        } else {
            steady = try SteadyState.together(lanes, duration, rate: rate)
        }
        let times = Distribution(steady.times)
        return Figures(
            firstRunTime: firstRunTime, times: times, samples: steady.times,
            imagesPerSecond: sessions == 1 && rate == nil
                ? Double(batch) * 1000 / times.median : Double(times.count * batch) * 1000 / steady.elapsed,
            allocationsPerRun: steady.allocations.map { Double($0) / Double(times.count) },
            arenaBytes: lanes.reduce(0) { $0 + $1.session.workingBytes },
            executedMultiplyAdds: try first.session.steps(imageSize: imageSize).reduce(0) {
                $0 + $1.executedMultiplyAdds
            },
            peakResidentBytes: ProcessMemory.peakResidentBytes, layers: layers)
    }
}
