/// Pointer to activations, row-major with the rows `stride` floats apart.
package struct Rows {
    package let base: UnsafeMutablePointer<Float>
    package let stride: Int

    package init(_ base: UnsafeMutablePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    package func advanced(by rows: Int) -> Rows { Rows(base + rows * stride, stride: stride) }

    /// A stride for rows of `count` floats in a task's scratch: whole cache lines and one more. At a power of two, the
    /// rows of a register tile would compete for the same few lines of the first-level cache.
    static func paddedStride(_ count: Int) -> Int { CacheLine.floats(count) + CacheLine.floats }
}

/// The unit that memory is laid out in.
enum CacheLine {
    static let bytes = 64
    static let floats = bytes / MemoryLayout<Float>.stride

    /// `count` floats, rounded up to whole lines.
    static func floats(_ count: Int) -> Int { (count + floats - 1) / floats * floats }

    /// `count` bytes, rounded up to whole lines.
    static func bytes(_ count: Int) -> Int { (count + bytes - 1) / bytes * bytes }
}
