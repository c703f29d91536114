import CETNetEngine
import CETNetGraph
import CKernels
import Foundation
import Synchronization
import Testing

/// What a program notices of the engine's threads: their names, their rest, how they share processors and count.
@Suite struct ProcessMannersTests {
    private static let roundUp: UInt64 = 0x4000

    #if arch(x86_64)
        /// Bodies compute in one mode on every thread; the caller's own is there again afterwards.
        @Test func floatingPointMode() throws {
            let team = try ThreadTeam(workers: 3, sharesProcessors: false)
            let own = cetnet_float_mode()
            defer { cetnet_set_float_mode(own) }
            let strange = UInt64(0x1F80) | Self.roundUp
            cetnet_set_float_mode(strange)
            let modes = Mutex<[UInt64]>([])
            team.runAll { _ in modes.withLock { $0.append(cetnet_float_mode() & 0xFFC0) } }
            #expect(modes.withLock(\.self) == Array(repeating: UInt64(CETNET_FLOAT_MODE), count: 3))
            #expect(cetnet_float_mode() == strange)
        }

        /// The caller's rounding does not reach results; numbers below the normal ones count as zero.
        @Test func resultsDoNotDependOnTheCallersMode() throws {
            let size = ImageSize(height: 45, width: 58)
            let (frozen, _) = try Fixture.network(try Fixture.file("tiny.safetensors"), Variety.all[0])
            let pixels = (0..<3 * size.area).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
            let own = cetnet_float_mode()
            defer { cetnet_set_float_mode(own) }
            for threads in [1, 2] {
                let session = try Session(network: frozen, threads: threads, sharesProcessors: false)
                func logits(_ pixels: [Float]) -> [Float] { session.outputs(pixels, batch: 1, size: size).logits }
                let expected = logits(pixels)
                cetnet_set_float_mode(0x1F80 | Self.roundUp)
                let found = logits(pixels)
                #expect(cetnet_float_mode() & 0xFFC0 == 0x1F80 | Self.roundUp, "\(threads) threads")
                cetnet_set_float_mode(own)
                #expect(found == expected, "\(threads) threads")
                let tiny = pixels.map { $0 * Float.leastNormalMagnitude * 0.1 }
                #expect(tiny.contains { $0.isSubnormal }, "or this shows nothing")
                #expect(logits(tiny) == logits(pixels.map { _ in 0 }), "\(threads) threads")
            }
        }
    #endif

    /// While others have the processors a run goes on with its caller alone.
    @Test func runsShareTheProcessors() throws {
        let greedy = try ThreadTeam(workers: Processor.availableCount + 1)
        let team = try ThreadTeam(workers: 3)
        let unshared = try ThreadTeam(workers: 3, sharesProcessors: false)
        /// How many workers come within 20 ms, while another run has all processors.
        func workers(of team: ThreadTeam) -> Int {
            struct Runs {
                let team: ThreadTeam
                var count = 0
            }
            final class Count: Sendable {
                let value = Atomic<Int>(0)
            }
            var runs = Runs(team: team)
            withUnsafeMutablePointer(to: &runs) { runs in
                greedy.run(context: runs) { context, worker in
                    guard worker == 0 else { return }
                    let runs = context!.assumingMemoryBound(to: Runs.self)
                    let count = Unmanaged.passRetained(Count())
                    runs.pointee.team.run(context: count.toOpaque()) { context, worker in
                        Unmanaged<Count>.fromOpaque(context!).takeUnretainedValue().value.add(1, ordering: .relaxed)
                        if worker == 0 { usleep(20_000) }
                    }
                    runs.pointee.count = count.takeRetainedValue().value.load(ordering: .relaxed)
                }
            }
            return runs.count
        }
        // Other tests of the process end runs in between, or keep workers from coming in time: not every time.
        #expect((0..<50).contains { _ in workers(of: team) == 1 })
        #expect((0..<50).contains { _ in workers(of: unshared) > 1 })
    }

    #if os(Linux)
        private func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

        @Test func threadsHaveNamesAndRest() throws {
            let team = try ThreadTeam(workers: 4, sharesProcessors: false)
            let tasks = Mutex<[String]>([])
            team.runAll { worker in
                let folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
                if worker > 0 { tasks.withLock { $0.append("/proc/" + folder) } }
            }
            let helpers = tasks.withLock { $0 }
            let names = helpers.map { read($0 + "/comm").trimmingCharacters(in: .newlines) }
            #expect(names.sorted() == ["cetnet-1", "cetnet-2", "cetnet-3"])
            // Asleep when there is nothing to do. A machine that is very busy may take its time.
            for helper in helpers {
                let isAsleep = (0..<500).contains { _ in
                    usleep(10_000)
                    return read(helper + "/stat").contains(") S ")
                }
                #expect(isAsleep, "\(read(helper + "/stat"))")
            }
        }
    #endif
}
