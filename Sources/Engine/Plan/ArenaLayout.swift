/// Places buffers, in bytes, in one arena so that those alive at the same time do not overlap.
///
/// Buffers are placed greedily, the largest first, each at the lowest place that is free during its whole life. For
/// the chain-like graphs of this project that is within a few percent of the largest sum of live buffers.
package struct ArenaLayout {
    package struct Buffer {
        package var bytes: Int
        /// Index of the step that writes it.
        package var firstStep: Int
        /// Index of the last step that reads it.
        package var lastStep: Int

        package init(bytes: Int, firstStep: Int, lastStep: Int) {
            self.bytes = bytes
            self.firstStep = firstStep
            self.lastStep = lastStep
        }
    }

    package private(set) var offsets: [Int]
    /// Of the whole arena.
    package private(set) var bytes = 0

    package init(_ buffers: [Buffer]) {
        offsets = Array(repeating: 0, count: buffers.count)
        var placed: [Int] = []
        let order = buffers.indices.sorted {
            (buffers[$0].bytes, -buffers[$0].firstStep) > (buffers[$1].bytes, -buffers[$1].firstStep)
        }
        for index in order {
            let buffer = buffers[index]
            let size = Self.rounded(buffer.bytes)
            let conflicts =
                placed
                .filter { buffers[$0].firstStep <= buffer.lastStep && buffer.firstStep <= buffers[$0].lastStep }
                .sorted { offsets[$0] < offsets[$1] }
            var offset = 0
            for other in conflicts {
                if offset + size <= offsets[other] { break }
                offset = max(offset, offsets[other] + Self.rounded(buffers[other].bytes))
            }
            offsets[index] = offset
            placed.append(index)
            bytes = max(bytes, offset + size)
        }
    }

    /// Whole cache lines, and one more: buffers of a power-of-two size would otherwise start at the same set of the
    /// first-level cache.
    private static func rounded(_ bytes: Int) -> Int { CacheLine.bytes(bytes) + CacheLine.bytes }
}
