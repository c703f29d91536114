import CETNet
import CETNetImaging
import Dispatch
import Foundation
import Synchronization

/// Many callers on shared models for a long time: every answer is the reference's bit for bit, and nothing grows.
struct Soak {
    private static let blockingCallers = 32
    private static let asyncCallers = 32

    private let seconds: Int
    private let subjects: [SoakSubject]
    private let counts = SoakCounts()

    init(seconds: Int) throws {
        self.seconds = seconds
        subjects = try ["cetnet-t", "swin-t", "cvt-13"].map { try SoakSubject(variant: $0) }
    }

    func run() async throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        let threads = DispatchGroup()
        for caller in 0..<Self.blockingCallers {
            threads.enter()
            Thread.detachNewThread { [subjects, counts] in
                var random = SystemRandomNumberGenerator()
                while ContinuousClock.now < end {
                    subjects[(caller + Int.random(in: 0..<3, using: &random)) % 3].blockOne(counts, using: &random)
                }
                threads.leave()
            }
        }
        let samples = await withTaskGroup(of: Void.self) { group in
            for caller in 0..<Self.asyncCallers {
                group.addTask { [subjects, counts] in
                    var random = SystemRandomNumberGenerator()
                    while ContinuousClock.now < end {
                        let subject = subjects[(caller + Int.random(in: 0..<3, using: &random)) % 3]
                        await subject.awaitOne(counts, using: &random)
                    }
                }
            }
            return await sample(until: end)
        }
        await withCheckedContinuation { done in threads.notify(queue: .global()) { done.resume() } }
        return report(samples)
    }

    /// A look at the process every second, beside the runs so far.
    private func sample(until end: ContinuousClock.Instant) async -> [(usage: Usage, runs: Int)] {
        var samples: [(usage: Usage, runs: Int)] = []
        while ContinuousClock.now < end {
            samples.append((Usage.now(), counts.runs.load(ordering: .relaxed)))
            try? await Task.sleep(for: .seconds(1))
        }
        return samples
    }

    /// Prints the thirds of the time, and says whether nothing is wrong and the last third needs no more than the
    /// first: 5 % and 16 MiB of memory, four threads and four descriptors are the coming and going of pools.
    private func report(_ samples: [(usage: Usage, runs: Int)]) -> Bool {
        guard samples.count >= 6 else { Trust.fail("too short a time to see anything") }
        func most(_ part: ArraySlice<(usage: Usage, runs: Int)>) -> Usage {
            var most = Usage()
            for sample in part {
                most.residentMiB = max(most.residentMiB, sample.usage.residentMiB)
                most.threads = max(most.threads, sample.usage.threads)
                most.descriptors = max(most.descriptors, sample.usage.descriptors)
            }
            return most
        }
        let third = samples.count / 3
        let rows = [
            ("start", samples[..<1]), ("first third", samples[1..<third]), ("second", samples[third..<2 * third]),
            ("last", samples[(2 * third)...]),
        ].map { ($0, most($1), $1.last!.runs) }
        let mismatches = counts.mismatches.load(ordering: .relaxed)
        func row(_ cells: [String]) -> String {
            cells.enumerated().map {
                $0 == 0
                    ? $1.padding(toLength: 12, withPad: " ", startingAt: 0)
                    : String(repeating: " ", count: max(1, 14 - $1.count)) + $1
            }.joined()
        }
        print(row(["at most", "memory MiB", "threads", "descriptors", "runs so far"]))
        for (name, usage, runs) in rows {
            print(
                row([
                    name, String(format: "%.1f", usage.residentMiB), "\(usage.threads)", "\(usage.descriptors)",
                    "\(runs)",
                ]))
        }
        print(
            "\(counts.runs.load(ordering: .relaxed)) runs, \(counts.refused.load(ordering: .relaxed)) bad inputs refused, "
                + "\(counts.cancelled.load(ordering: .relaxed)) cancelled, \(mismatches) mismatches")
        let (first, last) = (rows[1].1, rows[3].1)
        let isFlat =
            last.residentMiB <= first.residentMiB * 1.05 + 16 && last.threads <= first.threads + 4
            && last.descriptors <= first.descriptors + 4
        if !isFlat { print("memory, threads or descriptors have grown") }
        return isFlat && mismatches == 0
    }
}

/// What the callers count.
final class SoakCounts: Sendable {
    let runs = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    /// Answers that are not the reference's, and errors that nobody expected.
    let mismatches = Atomic<Int>(0)

    func count(isRight: Bool, _ what: @autoclosure () -> String) {
        runs.add(1, ordering: .relaxed)
        if isRight { return }
        if mismatches.add(1, ordering: .relaxed).oldValue < 10 { print("mismatch: \(what())") }
    }
}
