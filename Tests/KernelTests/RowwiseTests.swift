import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import Foundation
import TestSupport
import Testing

/// Activations, LayerNorm, softmax and means of every tier.
@Suite struct RowwiseTests {
    static let lengths = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 49, 64, 96, 130]

    /// Every activation over their whole range, in units of the last place of max(1, |x|).
    @Test(arguments: tiers) func activations(_ tier: Tier) {
        var inputs = stride(from: Float(-14), through: 14, by: 0.0007).map { $0 }
        inputs += [
            0, -0.0, .leastNormalMagnitude, -.leastNormalMagnitude, 1e-30, -1e-30, 90, -90, 1e6, -1e6, 3e37, -3e37,
        ]
        for kind in Activation.allCases {
            let buffer = GuardedBuffer(inputs)
            let rows = Rows(buffer.pointer, stride: inputs.count)
            tier.kernels.pointwise(
                rows, rows: 1, columns: inputs.count, scale: nil, residual: nil, activation: kind, into: rows)
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
                var noise = SeededGenerator(seed: UInt64(channels))
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
                var noise = SeededGenerator(seed: UInt64(columns))
                let buffer = GuardedBuffer(count: rows * stride)
                let mask = GuardedBuffer([Float](repeating: 0, count: rows * stride))
                var expected: [Double] = []
                for row in 0..<rows {
                    var scores: [Double] = []
                    for column in 0..<columns {
                        let score = noise.float() * 20
                        let penalty: Float = masked && column > 0 && noise.float() > 0 ? -100 : 0
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
            for (rows, gap) in [(49, 0), (1, 0), (2, 3), (7, 1)] {
                var noise = SeededGenerator(seed: UInt64(channels))
                let x = noise.values(rows * channels)
                let input = GuardedBuffer(spread(x, rows: channels, gap: gap))
                let output = GuardedBuffer(count: channels)
                tier.kernels.meanOverRows(
                    Rows(input.pointer, stride: channels + gap), rows: rows, channels: channels, into: output.pointer)
                output.checkGuards("mean")
                let expected = (0..<channels).map { channel in
                    (0..<rows).reduce(0.0) { $0 + Double(x[$1 * channels + channel]) } / Double(rows)
                }
                expectClose(
                    output.values, expected, tolerance: sumTolerance(count: rows, magnitude: 1) / Double(rows),
                    "\(tier.kernels.name) mean of \(rows) rows of \(channels) channels")
            }
        }
    }

    /// `activation(x · scale + residual)` with every choice of what is there, in place and not.
    @Test(arguments: tiers) func pointwise(_ tier: Tier) {
        let (rows, gap) = (3, 2)
        for columns in Self.lengths {
            for (hasScale, hasResidual) in [(false, false), (true, false), (false, true), (true, true)] {
                for activation in [nil, .gelu] as [Activation?] {
                    var noise = SeededGenerator(seed: UInt64(columns))
                    let (x, r) = (noise.values(rows * columns), noise.values(rows * columns))
                    let s = noise.values(columns)
                    let (input, factors) = (GuardedBuffer(spread(x, rows: columns, gap: gap)), GuardedBuffer(s))
                    let residual = GuardedBuffer(r)
                    let apart = GuardedBuffer(count: rows * (columns + gap))
                    for output in [apart, input] {
                        tier.kernels.pointwise(
                            Rows(input.pointer, stride: columns + gap), rows: rows, columns: columns,
                            scale: hasScale ? UnsafePointer(factors.pointer) : nil,
                            residual: hasResidual ? Rows(residual.pointer, stride: columns) : nil,
                            activation: activation, into: Rows(output.pointer, stride: columns + gap))
                        output.checkGuards("pointwise")
                        let (actual, between) = gathered(output.values, rows: columns, gap: gap)
                        #expect(between.allSatisfy { $0.isNaN }, "wrote between rows")
                        let expected = x.indices.map { index in
                            Reference.activation(
                                activation,
                                Double(x[index]) * (hasScale ? Double(s[index % columns]) : 1)
                                    + (hasResidual ? Double(r[index]) : 0))
                        }
                        expectClose(
                            actual, expected, tolerance: sumTolerance(count: 2, magnitude: 2),
                            "\(tier.kernels.name) pointwise of \(columns), \(hasScale), \(hasResidual)")
                    }
                    withExtendedLifetime((factors, residual)) {}
                }
            }
        }
    }

    @Test(arguments: tiers) func interleave(_ tier: Tier) {
        let rows = 3
        for channels in Self.lengths {
            var noise = SeededGenerator(seed: UInt64(channels))
            let (a, b) = (noise.values(rows * channels), noise.values(rows * channels))
            let first = GuardedBuffer(spread(a, rows: channels, gap: 7))
            let second = GuardedBuffer(b)
            let output = GuardedBuffer(count: rows * (2 * channels + 1))
            tier.kernels.interleave(
                Rows(first.pointer, stride: channels + 7), Rows(second.pointer, stride: channels), rows: rows,
                channels: channels, into: Rows(output.pointer, stride: 2 * channels + 1))
            output.checkGuards("interleave")
            let (actual, between) = gathered(output.values, rows: 2 * channels, gap: 1)
            #expect(between.allSatisfy { $0.isNaN }, "wrote between rows")
            #expect(actual == zip(a, b).flatMap { [$0, $1] }, "\(tier.kernels.name) interleaving \(channels)")
        }
    }
}
