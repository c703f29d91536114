import Dispatch
import Synchronization

/// Calls `body` with every index below `count`, on up to `threads` threads at once, and returns the results in order.
///
/// Threads take the next index when they are done with one, so uneven pieces of work balance. With one thread all is
/// done on the caller's.
package func mapConcurrently<Value: Sendable>(
    count: Int, threads: Int, _ body: @Sendable (Int) -> Value
) -> [Value] {
    guard threads > 1, count > 1 else { return (0..<count).map(body) }
    let next = Atomic<Int>(0)
    let results = Mutex<[Value?]>(Array(repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            let value = body(index)
            results.withLock { $0[index] = value }
        }
    }
    return results.withLock { $0.map { $0! } }
}
