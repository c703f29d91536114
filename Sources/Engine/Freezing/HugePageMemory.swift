import Foundation

/// A block of zeroed floats, in huge pages where the system grants them.
///
/// Weights are streamed once per image and activations many times; small pages would cost a walk of the page table
/// every 4 KiB. Pages that are never touched take no memory.
final class HugePageMemory: @unchecked Sendable {
    // Whoever fills the block decides who writes where; the class only owns it.
    let base: UnsafeMutablePointer<Float>
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    private static let hugePage = 2 << 20

    init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        // Room to start at a multiple of the huge page size.
        mappedBytes = bytes + Self.hugePage
        guard
            let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { fatalError("out of memory: \(bytes) bytes") }
        self.mapping = mapping
        let aligned = mapping.alignedUp(toMultipleOf: Self.hugePage)
        #if os(Linux)
            // Only whole huge pages: the last, partial one would take memory for nothing.
            madvise(aligned, bytes / Self.hugePage * Self.hugePage, MADV_HUGEPAGE)
        #endif
        base = aligned.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit { munmap(mapping, mappedBytes) }

    var bytes: Int { count * MemoryLayout<Float>.stride }
}
