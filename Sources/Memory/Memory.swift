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

/// Memory that grows with a file, an image or a request.
///
/// Swift ends the program where an array finds no memory. What may be large is therefore asked for here first: the
/// address space for it, and some to spare for all the small things, which nobody asks for.
package enum Memory {
    /// Smaller things than this are not asked for: 256 KiB.
    private static let smallest = 256 << 10
    /// Left for what is not asked for: 16 MiB.
    private static let spare = 16 << 20

    /// Asks whether the system has memory for `count` elements. Another thread may take it before the caller does; the
    /// spare part makes up for that.
    /// - Throws: ``OutOfMemoryError``.
    package static func require<Element>(_ count: Int, of: Element.Type) throws(OutOfMemoryError) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard overflow || bytes >= smallest else { return }
        let (length, tooLong) = bytes.addingReportingOverflow(spare)
        guard !overflow, !tooLong, let mapping = map(length) else {
            throw OutOfMemoryError(bytes: overflow ? .max : bytes)
        }
        munmap(mapping, length)
    }

    fileprivate static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        return mapping == MAP_FAILED ? nil : mapping
    }
}

extension Array where Element: BitwiseCopyable {
    /// An array of `count` elements, all of which `body` fills in.
    /// - Throws: ``OutOfMemoryError``, and what `body` throws.
    package init(count: Int, filledBy body: (UnsafeMutableBufferPointer<Element>) throws -> Void) throws {
        try Memory.require(count, of: Element.self)
        try self.init(unsafeUninitializedCapacity: count) { buffer, filled in
            try body(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            filled = count
        }
    }

    /// An array of `count` equal elements, if there is memory for it.
    package init(_ element: Element, count: Int) throws(OutOfMemoryError) {
        try Memory.require(count, of: Element.self)
        self.init(repeating: element, count: count)
    }
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
        try Memory.require(mappedBytes, of: UInt8.self)
        guard let mapping = Memory.map(mappedBytes) else { throw OutOfMemoryError(bytes: bytes) }
        self.mapping = mapping
        base = mapping.alignedUp(toMultipleOf: Self.hugePage)
        #if os(Linux)
            // Only whole huge pages: the last, partial one would take memory for nothing.
            madvise(base, bytes / Self.hugePage * Self.hugePage, MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(mapping, mappedBytes) }
}
