import CETNetMemory
import Dispatch
import Synchronization

/// A claim to buffers of OpenBLAS, one for each thread that will call it at the same time as the others.
///
/// The library hands each caller a buffer out of a table, and maps one more where all are in use. Where it gets no
/// memory for that, version 0.3.21 asks again without end, in the middle of a run. So it maps them while claims are made,
/// when a lack of memory is still an error, and never more calls are inside it than it has buffers.
package final class OpenBLASBuffers: Sendable {
    /// The table has an end: version 0.3.21 crashed with 200 callers at once.
    private static let most = 64

    /// Address space of a buffer.
    private static let bytes = 128 << 20

    /// How many more calls may go in. One at a time may without a claim: its buffer is mapped with the first call.
    private static let free = DispatchSemaphore(value: 1)

    private struct State {
        /// Buffers that it has surely mapped.
        var mapped = 0
        /// What all claims add up to.
        var claimed = 0
    }

    private static let state = Mutex(State())

    private let count: Int

    /// Has the library map as many buffers as all claims together need, this one included. After ``OpenBLAS/load()``.
    /// - Throws: ``OutOfMemoryError`` if there is no room for them in the process's address space.
    package init(_ count: Int) throws(OutOfMemoryError) {
        self.count = count
        try Self.state.withLock { state throws(OutOfMemoryError) in
            let wanted = min(state.claimed + count, Self.most)
            if wanted > state.mapped {
                // Given back at once: only whether there is as much counts.
                _ = try HugePageMemory(bytes: (wanted - state.mapped) * Self.bytes)
                // One more is mapped only while all others are in use: so here, and not by calls.
                for _ in 0..<max(state.mapped, 1) { Self.free.wait() }
                OpenBLAS.mapBuffers(wanted)
                for _ in 0..<wanted { Self.free.signal() }
                state.mapped = wanted
            }
            state.claimed += count
        }
    }

    deinit { Self.state.withLock { $0.claimed -= count } }

    /// Does `call`, which goes into the library once, when there is a buffer for it.
    static func withOne(_ call: () -> Void) {
        free.wait()
        defer { free.signal() }
        call()
    }
}
