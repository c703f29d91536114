import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import TestSupport
import Testing

/// Attention in stripes with locally enhanced positional encoding, by every tier's kernel and by OpenBLAS.
@Suite struct StripeAttentionTests {
    @Test(arguments: tiers) func stripes(_ tier: Tier) {
        for layout in [WeightFormat.panels, .rowMajor] {
            for (breadth, length) in [(1, 1), (1, 7), (1, 56), (2, 3), (2, 28), (7, 2), (7, 14), (5, 5)] {
                for dimension in [1, 12, 16, 32, 40] {
                    check(breadth, length, dimension, layout: layout, kernels: tier.kernels)
                }
            }
        }
    }

    private func check(
        _ breadth: Int, _ length: Int, _ dimension: Int, layout: WeightFormat, kernels: KernelSet
    ) {
        let name = "\(kernels.name) \(layout) attention in a stripe of \(breadth)x\(length), dimension \(dimension)"
        let tokens = breadth * length
        var noise = SeededGenerator(seed: UInt64(breadth * 10_000 + length * 100 + dimension))
        // Two heads side by side; the second is computed.
        let channels = 2 * dimension
        let rowWidth = 3 * channels
        let qkv = noise.values(tokens * rowWidth, scale: 1.5)
        let input = GuardedBuffer(qkv)
        let weights = noise.values(9 * dimension)
        let bias = noise.values(dimension)
        let (filter, shift) = (GuardedBuffer(weights), GuardedBuffer(bias))
        let output = GuardedBuffer([Float](repeating: 7, count: tokens * channels))
        let rows = (0..<tokens).map { UnsafePointer<Float>?(input.pointer + $0 * rowWidth) }
        // The last token is padding: a key and a neighbour for the others, with no output of its own.
        let outputs = (0..<tokens).map {
            $0 == tokens - 1 && tokens > 1 ? nil : UnsafeMutablePointer<Float>?(output.pointer + $0 * channels)
        }
        let scratch = GuardedBuffer(
            count: kernels.stripeAttentionScratch(tokens: tokens, dimension: dimension, layout))
        rows.withUnsafeBufferPointer { rows in
            outputs.withUnsafeBufferPointer { outputs in
                kernels.stripeAttention(
                    cetnet_stripe_attention(
                        breadth: breadth, length: length, dimension: dimension, rows: rows.baseAddress,
                        query_offset: dimension, key_offset: channels + dimension,
                        value_offset: 2 * channels + dimension, lepe_weights: filter.pointer,
                        lepe_bias: shift.pointer, outputs: outputs.baseAddress, output_offset: dimension,
                        scratch: scratch.pointer), layout)
            }
        }
        output.checkGuards(name)
        scratch.checkGuards(name + " scratch")

        func value(_ token: Int, _ channel: Int) -> Float { qkv[token * rowWidth + 2 * channels + dimension + channel] }
        let lepe = Reference.depthwise(
            (0..<tokens).flatMap { token in (0..<dimension).map { value(token, $0) } }, weights: weights, bias: bias,
            ConvolutionTests.geometry(breadth, length, channels: dimension, kernel: 3, stride: 1, padding: 1),
            activation: nil)
        var expected = [Double](repeating: 7, count: tokens * channels)
        for query in 0..<tokens where outputs[query] != nil {
            let scores = (0..<tokens).map { key in
                (0..<dimension).reduce(0.0) {
                    $0 + Double(qkv[query * rowWidth + dimension + $1])
                        * Double(qkv[key * rowWidth + channels + dimension + $1])
                }
            }
            let probabilities = Reference.softmax(scores)
            for channel in 0..<dimension {
                expected[query * channels + dimension + channel] =
                    (0..<tokens).reduce(lepe[query * dimension + channel]) {
                        $0 + probabilities[$1] * Double(value($1, channel))
                    }
            }
        }
        // Scores of products below 2.25 pass their rounding on through the softmax; then the sum over the tokens of
        // values below 1.5, and lepe's over nine taps.
        let tolerance =
            sumTolerance(count: dimension, magnitude: 2.25 * 1.5) + 20 * epsilon
            + 2 * epsilon * 1.5 * Double(tokens) + sumTolerance(count: 9, magnitude: 1.5)
        expectClose(output.values, expected, tolerance: tolerance, name)
    }
}
