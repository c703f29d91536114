import CETNetCheckpoint
import CETNetGraph
import CETNetOperators

/// The tables that window attention adds to its scores, laid out as its kernel reads them.
struct AttentionTables {
    private let attention: WindowAttention
    /// Tokens of a window.
    let tokens: Int
    /// Tokens rounded up to whole panels of the GEMM.
    let scoreStride: Int

    init(_ attention: WindowAttention, kernels: KernelSet) {
        self.attention = attention
        tokens = attention.windowSize * attention.windowSize
        scoreStride = kernels.packedColumns(tokens)
    }

    var biasCount: Int { attention.heads * tokens * scoreStride }
    var masksCount: Int { 3 * tokens * scoreStride }

    /// heads × tokens × scoreStride from the table of relative positions, ((2w−1)², heads).
    func fillBias(source: any TensorSource, into bias: UnsafeMutablePointer<Float>) throws {
        let table = try source.values(attention.relativePositionBiasTable)
        let w = attention.windowSize
        for head in 0..<attention.heads {
            for query in 0..<tokens {
                let row = bias + (head * tokens + query) * scoreStride
                for key in 0..<tokens {
                    let deltaRow = query / w - key / w + w - 1
                    let deltaColumn = query % w - key % w + w - 1
                    row[key] = table[(deltaRow * (2 * w - 1) + deltaColumn) * attention.heads + head]
                }
            }
        }
    }

    /// Masks of windows at the bottom, at the right and in the corner of a shifted map.
    ///
    /// After the roll by −s, only the last window of an axis holds two regions: its first w − s positions and its last
    /// s, which come from the other end of the map. −100 keeps tokens of different regions apart.
    func fillMasks(into masks: UnsafeMutablePointer<Float>) {
        let w = attention.windowSize
        let border = w - attention.shift
        let edges: [(rows: Bool, columns: Bool)] = [(true, false), (false, true), (true, true)]
        for (index, axes) in edges.enumerated() {
            for query in 0..<tokens {
                let row = masks + (index * tokens + query) * scoreStride
                for key in 0..<tokens {
                    let rowsDiffer = axes.rows && (query / w < border) != (key / w < border)
                    let columnsDiffer = axes.columns && (query % w < border) != (key % w < border)
                    row[key] = rowsDiffer || columnsDiffer ? -100 : 0
                }
            }
        }
    }

    /// What the projection makes of a zero token: its bias, the queries' part scaled.
    func fillPaddedRow(source: any TensorSource, into row: UnsafeMutablePointer<Float>) throws {
        try source.read(attention.qkvBias, into: row)
        let factor = 1 / Float(attention.headDimension).squareRoot()
        for channel in 0..<attention.channels { row[channel] *= factor }
    }
}
