import Dispatch
import Synchronization

/// Runs blocking work for `async` callers on threads of its own, so that Swift's cooperative pool is never blocked.
final class BackgroundQueue: Sendable {
    private let queue = DispatchQueue(label: "CETNet", attributes: .concurrent)
    private let width: Int
    private let state = Mutex<(running: Int, waiting: [Work])>((0, []))

    /// - Parameter width: how many pieces of work run at the same time; the rest wait in order of arrival.
    init(width: Int) { self.width = width }

    /// Runs `work` and returns what it returns.
    /// - Throws: ``ModelError/cancelled`` if the task is cancelled before the work has begun; else what `work` throws.
    func result<Value: Sendable>(of work: @escaping @Sendable () throws -> Value) async throws -> Value {
        guard let result = await perform({ Result(catching: work) }) else { throw ModelError.cancelled }
        return try result.get()
    }

    /// Runs `work` and returns what it returns; `nil` if the task is cancelled before the work has begun.
    ///
    /// Then `nil` is there at once, and the work is dropped with all that it holds. Work that has begun is finished.
    func perform<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        let pending = Pending<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard pending.wait(continuation, work) else { return continuation.resume(returning: nil) }
                add {
                    guard let (continuation, work) = pending.take() else { return }
                    continuation.resume(returning: work())
                }
            }
        } onCancel: {
            pending.cancel()
        }
    }

    private struct Work: Sendable {
        let run: @Sendable () -> Void
    }

    private func add(_ work: @escaping @Sendable () -> Void) {
        let begins = state.withLock { state in
            state.waiting.append(Work(run: work))
            guard state.running < width else { return false }
            state.running += 1
            return true
        }
        if begins { queue.async { self.runAll() } }
    }

    private func runAll() {
        while let work = next() { work.run() }
    }

    /// The work that has waited longest; `nil` if there is none, and then one fewer is running.
    private func next() -> Work? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

/// A caller that waits for its work to begin. Whoever takes the continuation resumes it: the work, or cancellation.
private final class Pending<Value: Sendable>: Sendable {
    typealias Waiting = (continuation: CheckedContinuation<Value?, Never>, work: @Sendable () -> Value)

    private let state = Mutex<(waiting: Waiting?, isCancelled: Bool)>((nil, false))

    /// Stores the continuation and the work, unless the task was cancelled before; then returns `false`.
    func wait(_ continuation: CheckedContinuation<Value?, Never>, _ work: @escaping @Sendable () -> Value) -> Bool {
        state.withLock { state in
            if !state.isCancelled { state.waiting = (continuation, work) }
            return !state.isCancelled
        }
    }

    /// The continuation and the work, if nobody has taken them yet.
    func take() -> Waiting? { state.withLock { $0.waiting.take() } }

    func cancel() {
        state.withLock { $0.isCancelled = true }
        take()?.continuation.resume(returning: nil)
    }
}
