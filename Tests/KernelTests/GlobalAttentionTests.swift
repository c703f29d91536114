import CETNetEngine
import CETNetGraph
import CETNetKernels
import TestSupport
import Testing

/// Attention to all keys, by every tier's kernel and by OpenBLAS.
@Suite struct GlobalAttentionTests {
    @Test(arguments: tiers) func sizes(_ tier: Tier) {
        for layout in [WeightFormat.panels, .rowMajor] {
            for keys in [1, 4, 15, 16, 33, 49, 50, 196] {
                for (rows, dimension) in [(1, 32), (14, 8), (15, 40), (29, 64), (64, 1)] {
                    check(rows: rows, keys: keys, dimension: dimension, layout: layout, kernels: tier.kernels)
                }
            }
        }
    }

    /// So many keys that their scores are computed for fewer queries at a time than a register tile holds.
    @Test(arguments: tiers) func thousandsOfKeys(_ tier: Tier) {
        for layout in [WeightFormat.panels, .rowMajor] {
            check(rows: 19, keys: 17_001, dimension: 8, layout: layout, kernels: tier.kernels)
            // Two of a power of two, where rows of scores would compete for places in the cache.
            check(rows: 31, keys: 2048, dimension: 16, layout: layout, kernels: tier.kernels)
        }
    }

    /// Which queries are computed together must not show; results may replace the queries.
    @Test(arguments: tiers) func cutsAndPlaces(_ tier: Tier) {
        let (keys, dimension, rows) = (113, 32, 40)
        var noise = SeededGenerator(seed: 5)
        let input = noise.values((rows + 2 * keys) * dimension)
        let whole = attend(input, rows: rows, keys: keys, dimension: dimension, parts: [0..<rows], tier.kernels)
        let cut = attend(
            input, rows: rows, keys: keys, dimension: dimension, parts: [17..<40, 0..<3, 3..<17], tier.kernels)
        #expect(whole == cut)
    }

    /// In the places of the queries, packed in one piece.
    private func attend(
        _ input: [Float], rows: Int, keys: Int, dimension: Int, parts: [Range<Int>], _ kernels: KernelSet
    ) -> [Float] {
        let buffer = GuardedBuffer(input)
        let packed = GuardedBuffer(
            count: GlobalAttentionHead.packedCount(keys: keys, dimension: dimension, kernels: kernels))
        func matrix(_ row: Int) -> Rows { Rows(buffer.pointer + row * dimension, stride: dimension) }
        GlobalAttentionHead.pack(
            keys: matrix(rows), values: matrix(rows + keys), count: keys, dimension: dimension, range: 0..<keys,
            into: packed.pointer, kernels: kernels)
        let head = GlobalAttentionHead(keys: keys, dimension: dimension, operands: .packed(packed.pointer))
        let scratch = GuardedBuffer(
            count: kernels.globalAttentionScratch(keys: keys, .panels))
        for part in parts {
            head.run(
                queries: matrix(part.lowerBound), rows: part.count, into: matrix(part.lowerBound),
                scratch: scratch.pointer, kernels: kernels)
        }
        return Array(buffer.values[..<(rows * dimension)])
    }

    private func check(rows: Int, keys: Int, dimension: Int, layout: WeightFormat, kernels: KernelSet) {
        let name = "\(kernels.name) \(layout) attention of \(rows) queries to \(keys) keys, dimension \(dimension)"
        var noise = SeededGenerator(seed: UInt64(rows * 100_000 + keys * 100 + dimension))
        // Two heads side by side; the second is computed. Values follow keys in a row.
        let channels = 2 * dimension
        let queries = noise.values(rows * channels, scale: 3 / Float(dimension).squareRoot())
        let keysAndValues = noise.values(keys * 2 * channels)
        let (q, kv) = (GuardedBuffer(queries), GuardedBuffer(keysAndValues))
        let output = GuardedBuffer([Float](repeating: 7, count: rows * channels))
        let packed = GuardedBuffer(
            count: GlobalAttentionHead.packedCount(keys: keys, dimension: dimension, kernels: kernels))
        let keyRows = Rows(kv.pointer + dimension, stride: 2 * channels)
        let valueRows = Rows(kv.pointer + channels + dimension, stride: 2 * channels)
        let operands: GlobalAttentionHead.Operands
        switch layout {
        case .panels:
            // In two pieces, the second first.
            let middle = keys / 2 / kernels.panelColumns * kernels.panelColumns
            for range in [middle..<keys, 0..<middle] where !range.isEmpty {
                GlobalAttentionHead.pack(
                    keys: keyRows, values: valueRows, count: keys, dimension: dimension, range: range,
                    into: packed.pointer, kernels: kernels)
            }
            operands = .packed(packed.pointer)
        default:
            operands = .rows(keys: keyRows, values: valueRows)
        }
        let scratch = GuardedBuffer(
            count: kernels.globalAttentionScratch(keys: keys, layout))
        GlobalAttentionHead(keys: keys, dimension: dimension, operands: operands).run(
            queries: Rows(q.pointer + dimension, stride: channels), rows: rows,
            into: Rows(output.pointer + dimension, stride: channels), scratch: scratch.pointer, kernels: kernels)
        for buffer in [output, packed, scratch] { buffer.checkGuards(name) }

        var expected = [Double](repeating: 7, count: rows * channels)
        for row in 0..<rows {
            let scores = (0..<keys).map { key in
                (0..<dimension).reduce(0.0) {
                    $0 + Double(queries[row * channels + dimension + $1])
                        * Double(keysAndValues[key * 2 * channels + dimension + $1])
                }
            }
            let probabilities = Reference.softmax(scores)
            for channel in 0..<dimension {
                expected[row * channels + dimension + channel] = (0..<keys).reduce(0) {
                    $0 + probabilities[$1] * Double(keysAndValues[$1 * 2 * channels + channels + dimension + channel])
                }
            }
        }
        // Products of a score are below 3 / √dimension; its rounding and that of its exponential pass through the
        // softmax. The second sum and that of the exponentials add up numbers of one sign or smaller than those.
        let tolerance =
            sumTolerance(count: dimension, magnitude: 3 / Double(dimension).squareRoot()) + 20 * epsilon
            + 2 * epsilon * Double(keys)
        expectClose(output.values, expected, tolerance: tolerance, name)
    }
}
