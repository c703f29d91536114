import Foundation

/// The system gives no more memory.
public struct OutOfMemoryError: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
    /// What was asked for.
    public let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    public var description: String { "out of memory: the system does not give \(bytes) bytes" }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}

/// A block of zeroed bytes, in huge pages where the system grants them.
///
/// Weights are streamed once per image and activations many times; small pages would cost a walk of the page table
/// every 4 KiB. Pages that are never touched take no memory.
package final class HugePageMemory: @unchecked Sendable {
    // Whoever fills the block decides who writes where; the class only owns it.
    package let base: UnsafeMutableRawPointer
    package let bytes: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    private static let hugePage = 2 << 20

    /// - Throws: ``OutOfMemoryError``, also for a count that no machine has.
    package init(bytes: Int) throws(OutOfMemoryError) {
        self.bytes = bytes
        // Room to start at a multiple of the huge page size.
        mappedBytes = max(bytes, 1) + Self.hugePage
        guard
            let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { throw OutOfMemoryError(bytes: bytes) }
        self.mapping = mapping
        base = mapping.alignedUp(toMultipleOf: Self.hugePage)
        #if os(Linux)
            // Only whole huge pages: the last, partial one would take memory for nothing.
            madvise(base, bytes / Self.hugePage * Self.hugePage, MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(mapping, mappedBytes) }
}
