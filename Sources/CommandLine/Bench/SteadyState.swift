import CETNet
import Foundation
import Synchronization

/// Runs of sessions that are warm.
struct SteadyState {
    /// Milliseconds of each run.
    let times: [Double]
    /// Milliseconds from the start of the first run to the end of the last.
    let elapsed: Double
    /// Calls that allocated memory in all of these runs; `nil` where they cannot be counted.
    let allocations: Int?

    /// One session on this thread.
    static func alone(_ lane: Lane, _ duration: Workload.Duration) throws -> SteadyState {
        let times = TimeLog(duration)
        let counter = AllocationCounter()
        let start = ContinuousClock.now
        counter.start()
        while times.wantsMore(since: start) { times.append(try lane.run()) }
        counter.stop()
        return SteadyState(
            times: times.values, elapsed: start.duration(to: .now).milliseconds, allocations: counter.count)
    }

    /// One session on this thread; after each run one more, with a clock.
    static func alternating(
        _ lane: Lane, _ duration: Workload.Duration, profile: LayerProfile
    ) throws -> SteadyState {
        let times = TimeLog(duration)
        let counter = AllocationCounter()
        let start = ContinuousClock.now
        while times.wantsMore(since: start) {
            counter.start()
            times.append(try lane.run())
            counter.stop()
            try profile.record { steps throws(ModelError) in try lane.profile(into: steps) }
        }
        profile.unclocked = times.values
        return SteadyState(
            times: times.values, elapsed: start.duration(to: .now).milliseconds, allocations: counter.count)
    }

    /// Several sessions at the same time, each on a thread of its own.
    /// - Parameter rate: runs per second that come in for all sessions, an open loop: the next free session takes the
    ///   next of them, and one that has to wait for a session takes longer by as much. `nil`: each session runs again
    ///   when it is done.
    static func together(_ lanes: [Lane], _ duration: Workload.Duration, rate: Double? = nil) throws -> SteadyState {
        let ready = DispatchSemaphore(value: 0)
        let go = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let leave = DispatchSemaphore(value: 0)
        let arrivals = rate.map { Arrivals(rate: $0) }
        let runners = lanes.map { Runner(lane: $0, times: TimeLog(duration), arrivals: arrivals) }
        for runner in runners {
            Thread {
                ready.signal()
                go.wait()
                runner.run()
                done.signal()
                // A thread's end frees and may allocate, so all wait until counting is over.
                leave.wait()
            }.start()
        }
        for _ in runners { ready.wait() }
        let counter = AllocationCounter()
        let start = ContinuousClock.now
        arrivals?.start = start
        counter.start()
        for _ in runners { go.signal() }
        for _ in runners { done.wait() }
        counter.stop()
        let elapsed = start.duration(to: .now).milliseconds
        for _ in runners { leave.signal() }
        for runner in runners { if let error = runner.error { throw error } }
        return SteadyState(times: runners.flatMap(\.times.values), elapsed: elapsed, allocations: counter.count)
    }

    /// Belongs to one thread between `go` and `done`, and to the one that waits for it before and after.
    private final class Runner: @unchecked Sendable {
        let lane: Lane
        let times: TimeLog
        let arrivals: Arrivals?
        var error: ModelError?

        init(lane: Lane, times: TimeLog, arrivals: Arrivals?) {
            self.lane = lane
            self.times = times
            self.arrivals = arrivals
        }

        func run() {
            let start = ContinuousClock.now
            do {
                guard let arrivals else {
                    while times.wantsMore(since: start) { times.append(try lane.run()) }
                    return
                }
                while times.wantsMore(since: start) {
                    let arrival = arrivals.next()
                    _ = try lane.run()
                    times.append(arrival.duration(to: .now).milliseconds)
                }
            } catch {
                self.error = error
            }
        }
    }

    /// When runs come in, for whichever session is free.
    private final class Arrivals: @unchecked Sendable {
        /// Written before the sessions start, read afterwards.
        var start = ContinuousClock.now
        private let interval: Duration
        private let taken = Atomic(0)

        init(rate: Double) { interval = .seconds(1 / rate) }

        /// The next one's time, when it has come.
        func next() -> ContinuousClock.Instant {
            let arrival = start + interval * taken.add(1, ordering: .relaxed).oldValue
            let wait = ContinuousClock.now.duration(to: arrival)
            if wait > .zero { usleep(UInt32(min(wait / .microseconds(1), 1e9))) }
            return arrival
        }
    }
}

/// Times of runs, in memory that is there from the beginning, and the decision whether to run once more.
final class TimeLog {
    /// A run of the smallest models takes some tenths of a millisecond.
    private static let mostRunsPerSecond = 20_000.0
    private static let leastRuns = 3

    private let memory: UnsafeMutableBufferPointer<Double>
    private let end: Duration?
    private var count = 0

    init(_ duration: Workload.Duration) {
        switch duration {
        case .seconds(let seconds):
            // Pages that are never written to take no memory.
            memory = .allocate(capacity: Self.leastRuns + Int(seconds * Self.mostRunsPerSecond))
            end = .seconds(seconds)
        case .runs(let runs):
            memory = .allocate(capacity: runs)
            end = nil
        }
    }

    deinit { memory.deallocate() }

    /// Whether there are too few runs yet.
    func wantsMore(since start: ContinuousClock.Instant) -> Bool {
        guard count < memory.count else { return false }
        guard let end else { return true }
        return count < Self.leastRuns || start.duration(to: .now) < end
    }

    func append(_ milliseconds: Double) {
        memory.initializeElement(at: count, to: milliseconds)
        count += 1
    }

    var values: [Double] { Array(memory[..<count]) }
}
