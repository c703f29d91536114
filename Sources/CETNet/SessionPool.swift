import CETNetEngine
import Dispatch
import Synchronization

/// Engine sessions that the tasks using one model share: a run takes an idle one, makes one while there are fewer than
/// the limit, and otherwise waits for one to come back.
final class SessionPool: Sendable {
    /// A session on its way between threads. Safe because the pool hands each to one caller at a time.
    private struct Idle: @unchecked Sendable {
        let session: CETNetEngine.Session
    }

    private let network: FrozenNetwork
    private let threads: Int
    private let idle = Mutex<[Idle]>([])
    /// Counts the sessions that may still be taken.
    private let available: DispatchSemaphore

    init(network: FrozenNetwork, threads: Int, limit: Int) {
        self.network = network
        self.threads = threads
        available = DispatchSemaphore(value: limit)
    }

    /// Runs `body` with a session of its own. Blocks while all are taken.
    func withSession<Result>(_ body: (CETNetEngine.Session) throws -> Result) rethrows -> Result {
        available.wait()
        // The last one used is the one whose memory is warm.
        let taken =
            idle.withLock { $0.popLast() }
            ?? Idle(session: CETNetEngine.Session(network: network, threads: threads))
        defer {
            idle.withLock { $0.append(taken) }
            available.signal()
        }
        return try body(taken.session)
    }
}
