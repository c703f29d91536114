import CETNetEngine
import CETNetMemory
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
    private let limit: Int
    private let idle = Mutex<[Idle]>([])
    /// Counts the sessions that may still be taken.
    private let available: DispatchSemaphore
    private let takingAll = DispatchSemaphore(value: 1)

    init(network: FrozenNetwork, threads: Int, limit: Int) {
        self.network = network
        self.threads = threads
        self.limit = limit
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
        let taken = if let session = idle.withLock({ $0.popLast() }) { session } else { try makeSession() }
        defer { idle.withLock { $0.append(taken) } }
        return try body(taken.session)
    }

    private func makeSession() throws(ModelError) -> Idle {
        try passOnOutOfMemory { () throws(OutOfMemoryError) in
            Idle(session: try CETNetEngine.Session(network: network, threads: threads))
        }
    }

    /// Runs `body` with each session that there can be, one after another. Blocks until none is taken.
    /// - Throws: ``ModelError/outOfMemory(bytes:)``, and what `body` throws.
    func withEverySession(_ body: (CETNetEngine.Session) throws(ModelError) -> Void) throws(ModelError) {
        // Two callers that each have some of the sessions would wait for the others' for ever.
        takingAll.wait()
        defer { takingAll.signal() }
        func take(_ count: Int) throws(ModelError) {
            guard count > 0 else { return }
            try withSession { session throws(ModelError) in
                try body(session)
                try take(count - 1)
            }
        }
        try take(limit)
    }
}
