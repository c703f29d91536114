import CETNetOperators
import Testing

/// Depthwise convolutions and im2col of every tier, at sizes where every edge occurs.
@Suite struct ConvolutionTests {
    static func geometry(
        _ height: Int, _ width: Int, channels: Int, kernel: Int, stride: Int, padding: Int
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            inputHeight: height, inputWidth: width, channels: channels, kernel: kernel, stride: stride,
            padding: padding, outputHeight: (height + 2 * padding - kernel) / stride + 1,
            outputWidth: (width + 2 * padding - kernel) / stride + 1)
    }

    @Test(arguments: tiers) func depthwise(_ tier: Tier) {
        for (height, width) in [(1, 1), (1, 9), (2, 2), (3, 4), (5, 7), (7, 14), (8, 8)] {
            for channels in [1, 3, 8, 16, 24, 32, 33] {
                for stride in [1, 2] {
                    for activation in [ActivationKind.none, .gelu] {
                        let g = Self.geometry(height, width, channels: channels, kernel: 3, stride: stride, padding: 1)
                        check(g, activation: activation, kernels: tier.kernels)
                    }
                }
            }
        }
        check(
            Self.geometry(9, 11, channels: 20, kernel: 5, stride: 1, padding: 2), activation: .none,
            kernels: tier.kernels)
    }

    private func check(_ g: ConvolutionGeometry, activation: ActivationKind, kernels: KernelSet) {
        let name = "\(kernels.name) depthwise \(g.inputHeight)x\(g.inputWidth)x\(g.channels) stride \(g.stride)"
        var noise = Noise(seed: UInt64(g.inputHeight * 1000 + g.inputWidth * 10 + g.channels))
        let x = noise.values(g.inputHeight * g.inputWidth * g.channels)
        let weights = noise.values(g.kernel * g.kernel * g.channels)
        let bias = noise.values(g.channels)
        let output = GuardedBuffer(count: g.outputHeight * g.outputWidth * g.channels)
        let (input, filter, shift) = (GuardedBuffer(x), GuardedBuffer(weights), GuardedBuffer(bias))
        // In two calls: rows of the output may be computed apart.
        for rows in [0..<g.outputHeight / 2, g.outputHeight / 2..<g.outputHeight] {
            g.depthwise(
                input.pointer, weights: filter.pointer, bias: shift.pointer, activation: activation, outputRows: rows,
                into: output.pointer, kernels: kernels)
        }
        output.checkGuards(name)
        expectClose(
            output.values, Reference.depthwise(x, weights: weights, bias: bias, g, activation: activation),
            tolerance: sumTolerance(count: g.kernel * g.kernel, magnitude: 2), name)
    }

    @Test(arguments: tiers) func im2col(_ tier: Tier) {
        for (height, width) in [(1, 1), (2, 5), (7, 7), (8, 11)] {
            for channels in [1, 3, 16, 24] {
                for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (4, 4, 0), (7, 4, 3), (1, 2, 0)]
                where height + 2 * padding >= kernel && width + 2 * padding >= kernel {
                    let g = Self.geometry(
                        height, width, channels: channels, kernel: kernel, stride: stride, padding: padding)
                    var noise = Noise(seed: 3)
                    let x = noise.values(height * width * channels)
                    let input = GuardedBuffer(x)
                    let positions = g.outputHeight * g.outputWidth
                    let first = positions / 3
                    let stride = g.depth + 2
                    let output = GuardedBuffer(count: (positions - first) * stride)
                    g.im2col(
                        input.pointer, positions: first..<positions, into: Rows(output.pointer, stride: stride),
                        kernels: tier.kernels)
                    output.checkGuards("im2col")
                    let expected = Reference.im2col(x, g)
                    for position in first..<positions {
                        let row = (0..<g.depth).map { output.pointer[(position - first) * stride + $0] }
                        #expect(row == expected[position], "\(tier.kernels.name) \(g) position \(position)")
                    }
                }
            }
        }
    }
}
