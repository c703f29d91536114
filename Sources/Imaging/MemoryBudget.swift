import Dispatch
import Synchronization

/// Memory that image decoders share. An image whose turn would exceed it waits until others are done; one that alone
/// needs more than all of it waits until no other is decoded.
///
/// So a process needs at most the larger of the budget and of what one image can need, however many threads decode.
/// An image counts from before its pixels are allocated until a model has prepared it for a run or, where a program
/// decodes it itself, until it is decoded.
public final class MemoryBudget: Sendable {
    /// The budget of all decoders that are not given another: 512 MiB.
    public static let shared = MemoryBudget(bytes: 512 << 20)

    /// How much the images may need together.
    public let bytes: Int

    /// What is taken, and who waits for how much, in the order of arrival: a large image is not passed by for ever.
    private let state = Mutex<(taken: Int, waiting: [(bytes: Int, turn: DispatchSemaphore)])>((0, []))

    /// - Parameter bytes: how much the images may need together.
    public init(bytes: Int) { self.bytes = bytes }

    /// Takes a part, when it is there. Blocks until then.
    package func take(_ count: Int) {
        let turn = state.withLock { state -> DispatchSemaphore? in
            if state.waiting.isEmpty && fits(count, beside: state.taken) {
                state.taken += count
                return nil
            }
            let turn = DispatchSemaphore(value: 0)
            state.waiting.append((count, turn))
            return turn
        }
        turn?.wait()
    }

    package func give(back count: Int) {
        state.withLock { state in
            state.taken -= count
            while let first = state.waiting.first, fits(first.bytes, beside: state.taken) {
                state.taken += first.bytes
                state.waiting.removeFirst().turn.signal()
            }
        }
    }

    private func fits(_ count: Int, beside taken: Int) -> Bool { taken == 0 || taken + count <= bytes }
}

extension MemoryBudget: Hashable {
    /// Whether they are the same object.
    public static func == (a: MemoryBudget, b: MemoryBudget) -> Bool { a === b }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
