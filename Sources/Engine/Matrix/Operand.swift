import CETNetKernels
import CKernels

/// How the rows of a product's left matrix come from a layer's input: gathered, then normalised, then converted to the
/// format of the weights, each of them only where it says so.
struct Operand: Sendable {
    /// Receptive fields instead of tokens.
    var gathering: ConvolutionGeometry?
    /// Of a LayerNorm without affine part, which is folded into the weights.
    var epsilon: Float?
    let matrix: PackedMatrix

    /// Rows that are gathered or normalised at a time on their way into another format: they stay in the first-level
    /// cache.
    private static let stagedRows = 8

    /// The gathering of words instead of numbers, where receptive fields overlap, so that numbers are converted once each
    /// and not as often as they are gathered.
    private var gatheringOfWords: ConvolutionGeometry? {
        guard matrix.format == .bfloat16, epsilon == nil, var words = gathering, words.kernel > words.stride,
            words.channels % Int(CETNET_BFLOAT16_PER_WORD) == 0
        else { return nil }
        words.channels /= Int(CETNET_BFLOAT16_PER_WORD)
        return words
    }

    private var changesValues: Bool { gathering != nil || epsilon != nil }
    private var staging: Int { Rows.paddedStride(matrix.depth) }
    private var stride: Int { Rows.paddedStride(matrix.format.rowWords(depth: matrix.depth)) }

    /// Words of scratch for a number of rows.
    func scratchWords(rows: Int) -> Int {
        guard matrix.format.isConverted else { return changesValues ? rows * stride : 0 }
        if let map = gatheringOfWords {
            return rows * stride + map.mostInputRows(positions: rows) * map.inputWidth * map.channels
        }
        return rows * stride + (changesValues ? Self.stagedRows * staging : 0)
    }

    /// The operand for some rows, in the scratch unless it is the input itself.
    /// - Parameters:
    ///   - input: the input's first token.
    ///   - rows: those to load, of the whole operand.
    ///   - scratch: room for ``scratchWords(rows:)``.
    func load(_ input: Rows, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, kernels: KernelSet) -> Rows {
        let words = Rows(scratch, stride: stride)
        guard matrix.format.isConverted else {
            guard changesValues else { return input.advanced(by: rows.lowerBound) }
            return values(input, rows: rows, into: words, kernels: kernels)
        }
        guard changesValues else {
            matrix.convert(input.advanced(by: rows.lowerBound), rows: rows.count, into: words, kernels: kernels)
            return words
        }
        if let map = gatheringOfWords {
            let positions = map.inputRows(of: rows)
            let first = positions.lowerBound * map.inputWidth
            let converted = Rows(scratch + rows.count * stride, stride: map.channels)
            convertMap(
                input.advanced(by: first), positions: positions.count * map.inputWidth, into: converted,
                kernels: kernels)
            map.im2col(converted.advanced(by: -first), positions: rows, into: words, kernels: kernels)
            return words
        }
        let staged = Rows(scratch + rows.count * stride, stride: staging)
        for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: Self.stagedRows) {
            let some = first..<min(first + Self.stagedRows, rows.upperBound)
            matrix.convert(
                values(input, rows: some, into: staged, kernels: kernels), rows: some.count,
                into: words.advanced(by: first - rows.lowerBound), kernels: kernels)
        }
        return words
    }

    /// Positions of the map that is gathered from to words, side by side; in one go where they are side by side.
    private func convertMap(_ x: Rows, positions: Int, into y: Rows, kernels: KernelSet) {
        let channels = gathering!.channels
        let isContiguous = x.stride == channels
        let row = PackedMatrix(format: matrix.format, columns: 1, depth: isContiguous ? positions * channels : channels)
        row.convert(x, rows: isContiguous ? 1 : positions, into: y, kernels: kernels)
    }

    /// Rows gathered and normalised, in float32.
    private func values(_ input: Rows, rows: Range<Int>, into y: Rows, kernels: KernelSet) -> Rows {
        var x = input.advanced(by: rows.lowerBound)
        if let gathering {
            gathering.im2col(input, positions: rows, into: y, kernels: kernels)
            x = y
        }
        if let epsilon {
            kernels.layerNorm(
                x, rows: rows.count, channels: matrix.depth, epsilon: epsilon, weight: nil, bias: nil, into: y)
        }
        return y
    }
}
