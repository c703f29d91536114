import Foundation
import Synchronization

/// Runs blocking work for `async` callers on threads of its own, so that Swift's cooperative pool is never blocked.
final class BackgroundQueue: Sendable {
    private let queue = OperationQueue()

    /// - Parameter width: how many pieces of work run at the same time; the rest wait in order of arrival.
    init(width: Int) {
        queue.name = "CETNet"
        queue.maxConcurrentOperationCount = width
    }

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
                queue.addOperation {
                    guard let (continuation, work) = pending.take() else { return }
                    continuation.resume(returning: work())
                }
            }
        } onCancel: {
            pending.cancel()
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
