import CETNetOperators
import CKernels
import Foundation
import Testing

/// Activations, LayerNorm, softmax and means of every tier.
@Suite struct RowwiseTests {
    static let lengths = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 49, 64, 96, 130]

    /// Both activations over their whole range, in units of the last place of max(1, |x|).
    @Test(arguments: tiers) func activations(_ tier: Tier) {
        var inputs = stride(from: Float(-14), through: 14, by: 0.0007).map { $0 }
        inputs += [0, -0.0, .leastNormalMagnitude, -.leastNormalMagnitude, 1e-30, -1e-30, 90, -90, 1e6, -1e6, 3e37, -3e37]
        for kind in [ActivationKind.gelu, .quickGELU] {
            let buffer = GuardedBuffer(inputs)
            tier.kernels.finish(
                Rows(buffer.pointer, stride: inputs.count), rows: 1, columns: inputs.count, activation: kind,
                residual: nil)
            buffer.checkGuards("activation")
            var worst = (0.0, Float(0))
            for (x, y) in zip(inputs, buffer.values) {
                let difference = abs(Double(y) - Reference.activation(kind, Double(x)))
                let ulps = difference / (epsilon * max(1, abs(Double(x))))
                if !(ulps <= worst.0) { worst = (ulps, x) }
            }
            #expect(worst.0 <= 2, "\(tier.kernels.name) \(kind): off by \(worst.0) units at \(worst.1)")
        }
    }

    @Test(arguments: tiers) func layerNorm(_ tier: Tier) {
        for channels in Self.lengths {
            for affine in [false, true] {
                var noise = Noise(seed: UInt64(channels))
                let rows = 3
                let x = noise.values(rows * channels).map { $0 + 2 }
                let (weight, bias) = (noise.values(channels), noise.values(channels))
                let input = GuardedBuffer(x)
                let (scale, shift) = (GuardedBuffer(weight), GuardedBuffer(bias))
                let output = GuardedBuffer(count: rows * channels)
                tier.kernels.layerNorm(
                    Rows(input.pointer, stride: channels), rows: rows, channels: channels, epsilon: 1e-5,
                    weight: affine ? UnsafePointer(scale.pointer) : nil,
                    bias: affine ? UnsafePointer(shift.pointer) : nil,
                    into: Rows(output.pointer, stride: channels))
                withExtendedLifetime((scale, shift)) { output.checkGuards("layer norm") }
                let expected = (0..<rows).flatMap {
                    Reference.layerNorm(
                        Array(x[$0 * channels..<($0 + 1) * channels]), epsilon: Double(Float(1e-5)),
                        weight: affine ? weight : nil, bias: affine ? bias : nil)
                }
                // The mean of values up to 3 is off by some units in the last place; for a single channel the error is
                // blown up by 1/√ε ≈ 316, else by the inverse deviation, which is below 16 for these rows.
                let tolerance = channels == 1 ? 3 * 316 * 4 * epsilon : 16 * 3 * 8 * epsilon
                expectClose(
                    output.values, expected, tolerance: tolerance,
                    "\(tier.kernels.name) layer norm of \(channels) channels, affine \(affine)")
            }
        }
    }

    @Test(arguments: tiers) func softmax(_ tier: Tier) {
        for columns in Self.lengths {
            for masked in [false, true] {
                let rows = 2
                let stride = (columns + tier.kernels.lanes - 1) / tier.kernels.lanes * tier.kernels.lanes
                var noise = Noise(seed: UInt64(columns))
                let buffer = GuardedBuffer(count: rows * stride)
                let mask = GuardedBuffer([Float](repeating: 0, count: rows * stride))
                var expected: [Double] = []
                for row in 0..<rows {
                    var scores: [Double] = []
                    for column in 0..<columns {
                        let score = noise.next() * 20
                        let penalty: Float = masked && column > 0 && noise.next() > 0 ? -100 : 0
                        buffer.pointer[row * stride + column] = score
                        mask.pointer[row * stride + column] = penalty
                        scores.append(Double(score + penalty))
                    }
                    expected += Reference.softmax(scores)
                }
                var arguments = cetnet_softmax(
                    scores: buffer.pointer, stride: stride, rows: rows, columns: columns,
                    mask: masked ? UnsafePointer(mask.pointer) : nil, mask_stride: stride)
                tier.kernels.functions.pointee.softmax(&arguments)
                buffer.checkGuards("softmax")
                let actual = (0..<rows).flatMap { row in (0..<columns).map { buffer.pointer[row * stride + $0] } }
                // exp within 2 units, the sum and the division one more each; arguments below 120 lose 120 · ε.
                expectClose(
                    actual, expected, tolerance: 130 * epsilon,
                    "\(tier.kernels.name) softmax of \(columns), masked \(masked)")
            }
        }
    }

    @Test(arguments: tiers) func mean(_ tier: Tier) {
        for channels in Self.lengths {
            let rows = 49
            var noise = Noise(seed: UInt64(channels))
            let x = noise.values(rows * channels)
            let input = GuardedBuffer(x)
            let output = GuardedBuffer(count: channels)
            tier.kernels.meanOverRows(input.pointer, rows: rows, channels: channels, into: output.pointer)
            output.checkGuards("mean")
            let expected = (0..<channels).map { channel in
                (0..<rows).reduce(0.0) { $0 + Double(x[$1 * channels + channel]) } / Double(rows)
            }
            expectClose(
                output.values, expected, tolerance: sumTolerance(count: rows, magnitude: 1) / Double(rows),
                "\(tier.kernels.name) mean of \(channels) channels")
        }
    }
}
