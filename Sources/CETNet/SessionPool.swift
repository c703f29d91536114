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
    /// - Throws: ``ModelError/outOfMemory(bytes:)``, and what `body` throws.
    func withSession<Result>(
        _ body: (CETNetEngine.Session) throws(ModelError) -> Result
    ) throws(ModelError) -> Result {
        available.wait()
        defer { available.signal() }
        // The last one used is the one whose memory is warm.
        let taken: Idle
        do throws(OutOfMemoryError) {
            if let session = idle.withLock({ $0.popLast() }) {
                taken = session
            } else {
                taken = Idle(session: try CETNetEngine.Session(network: network, threads: threads))
            }
        } catch {
            throw .outOfMemory(bytes: error.bytes)
        }
        defer { idle.withLock { $0.append(taken) } }
        return try body(taken.session)
    }
}
