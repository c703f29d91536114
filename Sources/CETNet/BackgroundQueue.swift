import Foundation
import Synchronization

/// Runs blocking work for `async` callers on threads of its own, so that Swift's cooperative pool is never blocked.
final class BackgroundQueue: Sendable {
    private let queue: OperationQueue

    /// - Parameter width: how many pieces of work run at the same time; the rest wait in order of arrival.
    init(width: Int) {
        queue = OperationQueue()
        queue.name = "CETNet"
        queue.maxConcurrentOperationCount = width
    }

    /// Runs `work` and returns what it returns.
    ///
    /// A task that is cancelled before its work has begun gets `CancellationError` at once, and the work is not done.
    /// Work that has begun is finished.
    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let pending = Pending<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard pending.wait(continuation) else { return }
                queue.addOperation {
                    guard let continuation = pending.take() else { return }
                    continuation.resume(with: Result(catching: work))
                }
            }
        } onCancel: {
            pending.cancel()
        }
    }
}

/// A caller that waits for its work to begin. Whoever takes the continuation resumes it: the work, or cancellation.
private final class Pending<Value: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Value, any Error>)
        case taken
        case cancelled
    }

    private let state = Mutex<State>(.new)

    /// Stores the continuation, unless the task was cancelled before; then resumes it and returns `false`.
    func wait(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
        return !isCancelled
    }

    /// The continuation, if nobody has taken it yet.
    func take() -> CheckedContinuation<Value, any Error>? {
        state.withLock { state in
            guard case .waiting(let continuation) = state else { return nil }
            state = .taken
            return continuation
        }
    }

    func cancel() {
        let continuation: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .new:
                state = .cancelled
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .taken, .cancelled:
                return nil
            }
        }
        continuation?.resume(throwing: CancellationError())
    }
}
