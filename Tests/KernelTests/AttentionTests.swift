import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import TestSupport
import Testing

/// Attention of one head in one window, by every tier's kernel and by OpenBLAS.
@Suite struct AttentionTests {
    @Test(arguments: tiers) func windows(_ tier: Tier) {
        // Among them whole vectors of 8 and 16 tokens, one token more, and a few more.
        for tokens in [1, 4, 8, 9, 16, 17, 24, 25, 33, 36, 41, 48, 49, 64, 144] {
            for dimension in [1, 8, 24, 32, 40, 64] {
                for masked in [false, true] {
                    for layout in [WeightFormat.panels, .rowMajor] {
                        check(tokens, dimension, masked: masked, layout: layout, kernels: tier.kernels)
                    }
                }
            }
        }
    }

    private func check(
        _ tokens: Int, _ dimension: Int, masked: Bool, layout: WeightFormat, kernels: KernelSet
    ) {
        let name = "\(kernels.name) \(layout) attention of \(tokens) tokens, dimension \(dimension), masked \(masked)"
        let scoreStride = kernels.packedColumns(tokens)
        var noise = SeededGenerator(seed: UInt64(tokens * 100 + dimension))
        // Two heads side by side; the second is computed.
        let channels = 2 * dimension
        let rowWidth = 3 * channels
        let qkv = noise.values(tokens * rowWidth)
        let input = GuardedBuffer(qkv)
        let bias = GuardedBuffer([Float](repeating: 0, count: tokens * scoreStride))
        let mask = GuardedBuffer([Float](repeating: 0, count: tokens * scoreStride))
        for query in 0..<tokens {
            for key in 0..<tokens {
                bias.pointer[query * scoreStride + key] = noise.float()
                if masked, query / 2 != key / 2 { mask.pointer[query * scoreStride + key] = -100 }
            }
        }
        let output = GuardedBuffer([Float](repeating: 7, count: tokens * channels))
        let rows = (0..<tokens).map { UnsafePointer<Float>?(input.pointer + $0 * rowWidth) }
        // The last token is padding: a key for the others, with no output of its own.
        let outputs = (0..<tokens).map {
            $0 == tokens - 1 && tokens > 1 ? nil : UnsafeMutablePointer<Float>?(output.pointer + $0 * channels)
        }
        let scratch = GuardedBuffer(
            count: cetnet_window_attention_scratch(tokens, dimension, kernels.panelColumns))
        rows.withUnsafeBufferPointer { rows in
            outputs.withUnsafeBufferPointer { outputs in
                kernels.windowAttention(
                    cetnet_window_attention(
                        tokens: tokens, head_dimension: dimension, rows: rows.baseAddress, query_offset: dimension,
                        key_offset: channels + dimension, value_offset: 2 * channels + dimension, bias: bias.pointer,
                        mask: masked ? UnsafePointer(mask.pointer) : nil, score_stride: scoreStride,
                        outputs: outputs.baseAddress, output_offset: dimension, scratch: scratch.pointer), layout)
            }
        }
        output.checkGuards(name)
        scratch.checkGuards(name + " scratch")

        var expected = [Double](repeating: 7, count: tokens * channels)
        for query in 0..<tokens where outputs[query] != nil {
            let scores = (0..<tokens).map { key in
                (0..<dimension).reduce(
                    Double(bias.pointer[query * scoreStride + key] + mask.pointer[query * scoreStride + key])
                ) {
                    $0 + Double(qkv[query * rowWidth + dimension + $1])
                        * Double(qkv[key * rowWidth + channels + dimension + $1])
                }
            }
            let probabilities = Reference.softmax(scores)
            for channel in 0..<dimension {
                expected[query * channels + dimension + channel] = (0..<tokens).reduce(0) {
                    $0 + probabilities[$1] * Double(qkv[$1 * rowWidth + 2 * channels + dimension + channel])
                }
            }
        }
        // Scores up to dimension + 100 are off by their rounding, which the softmax passes on; the second sum is of
        // probabilities, which add up to 1.
        let tolerance = sumTolerance(count: dimension, magnitude: 2) + epsilon * (masked ? 110 : 10) + 4 * epsilon * 49
        expectClose(output.values, expected, tolerance: tolerance, name)
    }
}
