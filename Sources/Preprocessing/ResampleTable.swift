internal import CKernels

/// Which source pixels each output pixel of one axis takes, and their fixed-point weights: what the kernels of
/// `resize.h` read. Made for a range of the outputs, as only the crop is ever computed.
struct ResampleTable {
    /// Per output: the first source pixel.
    private(set) var firsts: [Int32]
    /// Per output: how many source pixels it takes.
    private(set) var counts: [Int32]
    /// `taps` weights per output, unused ones zero; 2²² is one.
    private(set) var weights: [Int32]
    /// The largest number of source pixels of any output.
    private(set) var taps: Int

    /// The number of output pixels.
    var outputs: Int { firsts.count }

    /// The source pixels that some output takes.
    var sourceRange: Range<Int> {
        // Neither starts nor ends decrease from one output to the next.
        Int(firsts.first!)..<Int(firsts.last! + counts.last!)
    }

    /// The same for a source that is cut off before the first pixel taken.
    func fromZero() -> ResampleTable {
        let start = firsts[0]
        var table = self
        table.firsts = firsts.map { $0 - start }
        return table
    }

    /// Calls `body` with the first elements of `firsts`, `counts` and `weights`.
    func withUnsafePointers(
        _ body: (UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Void
    ) {
        firsts.withUnsafeBufferPointer { firsts in
            counts.withUnsafeBufferPointer { counts in
                weights.withUnsafeBufferPointer { weights in
                    body(firsts.baseAddress!, counts.baseAddress!, weights.baseAddress!)
                }
            }
        }
    }

    /// The weights of outputs `range` when `sourceSize` pixels become `resizedSize`. No side is beyond `Int32.max`.
    init(
        _ interpolation: PreprocessConfiguration.Interpolation, from sourceSize: Int, to resizedSize: Int,
        range: Range<Int>
    ) {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= resizedSize)
        if sourceSize == resizedSize {
            // No resampling at all, as in Pillow, whatever the filter.
            self.init(single: range.map(Int32.init))
        } else if interpolation == .nearest {
            self.init(single: Self.nearestPixels(from: sourceSize, to: resizedSize, range: range))
        } else {
            self.init(filter: interpolation, from: sourceSize, to: resizedSize, range: range)
        }
    }

    /// Each output is one source pixel.
    private init(single firsts: [Int32]) {
        self.firsts = firsts
        counts = Array(repeating: 1, count: firsts.count)
        weights = Array(repeating: Self.one, count: firsts.count)
        taps = 1
    }

    private init(
        filter: PreprocessConfiguration.Interpolation, from sourceSize: Int, to resizedSize: Int, range: Range<Int>
    ) {
        let scale = Double(sourceSize) / Double(resizedSize)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        taps = min(Int(support.rounded(.up)) * 2 + 1, sourceSize)
        firsts = []
        counts = []
        firsts.reserveCapacity(range.count)
        counts.reserveCapacity(range.count)
        weights = Array(repeating: 0, count: range.count * taps)
        var exact = [Double](repeating: 0, count: taps)

        for (row, output) in range.enumerated() {
            let center = (Double(output) + 0.5) * scale
            // Conversion truncates; that is part of Pillow's rule, as are multiplying by the inverse and the order
            // of additions.
            let first = max(Int(center - support + 0.5), 0)
            let end = min(Int(center + support + 0.5), sourceSize)
            let count = end - first
            var sum = 0.0
            for k in 0..<count {
                exact[k] = filter.weight(at: (Double(k + first) - center + 0.5) * (1 / filterScale))
                sum += exact[k]
            }
            for k in 0..<count {
                let weight = (sum == 0 ? exact[k] : exact[k] / sum) * Double(Self.one)
                weights[row * taps + k] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
            }
            firsts.append(Int32(first))
            counts.append(Int32(count))
        }
    }

    /// Pillow's nearest neighbour: the pixel that the centre of the output falls into. It finds the centres by adding
    /// up the scale, and which pixel is nearest can hang on the rounding of that sum.
    private static func nearestPixels(from sourceSize: Int, to resizedSize: Int, range: Range<Int>) -> [Int32] {
        let scale = Double(sourceSize) / Double(resizedSize)
        var center = scale * 0.5
        for _ in 0..<range.lowerBound { center += scale }
        return range.map { _ in
            defer { center += scale }
            return Int32(min(Int(center), sourceSize - 1))
        }
    }

    /// The weight of one.
    private static let one = Int32(1) << Int32(CETNET_RESIZE_WEIGHT_BITS)
}
