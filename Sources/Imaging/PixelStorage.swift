internal import CETNetMemory
import Foundation

/// Memory for decoded pixels.
enum PixelStorage {
    /// An array of `count` bytes that `body` fills in, all of them; ``OutOfMemoryError`` if there is no memory for it.
    ///
    /// Fresh memory of the size of a photograph is handed out by the system page by page as it is first written to,
    /// which takes about a third of the time of decoding a JPEG. Pages of 2 MiB make that negligible where the system
    /// has them.
    static func make(
        count: Int, _ body: (UnsafeMutablePointer<UInt8>) throws -> Void
    ) throws -> [UInt8] {
        try [UInt8](count: count) { buffer in
            askForLargePages(UnsafeMutableRawBufferPointer(buffer))
            try body(buffer.baseAddress!)
        }
    }

    private static func askForLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        #if os(Linux)
            let page = 2 << 20
            let start = memory.baseAddress!.alignedUp(toMultipleOf: page)
            let end = (memory.baseAddress! + memory.count).alignedDown(toMultipleOf: page)
            // Only advice; without large pages all goes on as before.
            if end > start { _ = madvise(start, end - start, MADV_HUGEPAGE) }
        #endif
    }
}
