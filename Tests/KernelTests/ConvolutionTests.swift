import CETNetEngine
import CETNetGraph
import CETNetKernels
import TestSupport
import Testing

/// Depthwise convolutions and im2col of every tier, at sizes where every edge occurs.
@Suite struct ConvolutionTests {
    static func geometry(
        _ height: Int, _ width: Int, channels: Int, kernel: Int, stride: Int, padding: Int
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            kernel: kernel, stride: stride, padding: padding,
            from: TensorShape(height: height, width: width, channels: channels),
            to: TensorShape(
                height: (height + 2 * padding - kernel) / stride + 1,
                width: (width + 2 * padding - kernel) / stride + 1, channels: channels))
    }

    @Test(arguments: tiers) func depthwise(_ tier: Tier) {
        for (height, width) in [(1, 1), (1, 9), (2, 2), (3, 4), (5, 7), (7, 14), (8, 8)] {
            for channels in [1, 3, 8, 16, 24, 32, 33] {
                for stride in [1, 2, 3] {
                    for activation in [nil, .gelu] as [Activation?] {
                        let g = Self.geometry(height, width, channels: channels, kernel: 3, stride: stride, padding: 1)
                        check(g, activation: activation, kernels: tier.kernels)
                    }
                }
            }
        }
        check(
            Self.geometry(9, 11, channels: 20, kernel: 5, stride: 1, padding: 2), activation: nil,
            kernels: tier.kernels)
    }

    private func check(_ g: ConvolutionGeometry, activation: Activation?, kernels: KernelSet) {
        let name = "\(kernels.name) depthwise \(g.inputHeight)x\(g.inputWidth)x\(g.channels) stride \(g.stride)"
        var noise = SeededGenerator(seed: UInt64(g.inputHeight * 1000 + g.inputWidth * 10 + g.channels))
        let x = noise.values(g.inputHeight * g.inputWidth * g.channels)
        let weights = noise.values(g.kernel * g.kernel * g.channels)
        let bias = noise.values(g.channels)
        let (filter, shift) = (GuardedBuffer(weights), GuardedBuffer(bias))
        let expected = Reference.depthwise(x, weights: weights, bias: bias, g, activation: activation)
        // Contiguous maps, and channels of wider ones.
        for (inputGap, outputGap) in [(0, 0), (3, 0), (0, 5)] {
            let input = GuardedBuffer(spread(x, rows: g.channels, gap: inputGap))
            let output = GuardedBuffer(count: g.outputHeight * g.outputWidth * (g.channels + outputGap))
            // In two calls: rows of the output may be computed apart.
            for rows in [0..<g.outputHeight / 2, g.outputHeight / 2..<g.outputHeight] {
                g.depthwise(
                    Rows(input.pointer, stride: g.channels + inputGap), weights: filter.pointer, bias: shift.pointer,
                    activation: activation, outputRows: rows,
                    into: Rows(output.pointer, stride: g.channels + outputGap), kernels: kernels)
            }
            output.checkGuards(name)
            let (actual, between) = gathered(output.values, rows: g.channels, gap: outputGap)
            #expect(between.allSatisfy { $0.isNaN }, "\(name): wrote between positions")
            expectClose(
                actual, expected, tolerance: sumTolerance(count: g.kernel * g.kernel, magnitude: 2),
                "\(name), gaps \(inputGap) and \(outputGap)")
        }
    }

    @Test(arguments: tiers) func im2col(_ tier: Tier) {
        for (height, width) in [(1, 1), (2, 5), (7, 7), (8, 11)] {
            for channels in [1, 3, 16, 24] {
                for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (4, 4, 0), (7, 4, 3), (1, 2, 0)]
                where height + 2 * padding >= kernel && width + 2 * padding >= kernel {
                    let g = Self.geometry(
                        height, width, channels: channels, kernel: kernel, stride: stride, padding: padding)
                    checkIm2col(g, kernels: tier.kernels)
                }
                // Patch merging's, with neighbours beyond the edge.
                let patches = ConvolutionGeometry(
                    kernel: 2, stride: 2, padding: 0,
                    from: TensorShape(height: height, width: width, channels: channels),
                    to: TensorShape(height: (height + 1) / 2, width: (width + 1) / 2, channels: 4 * channels))
                checkIm2col(patches, kernels: tier.kernels)
            }
        }
    }

    private func checkIm2col(_ g: ConvolutionGeometry, kernels: KernelSet) {
        var noise = SeededGenerator(seed: 3)
        let x = noise.values(g.inputHeight * g.inputWidth * g.channels)
        let expected = Reference.im2col(x, g)
        let positions = g.outputHeight * g.outputWidth
        let first = positions / 3
        let stride = g.depth + 2
        for gap in [0, 5] {
            let input = GuardedBuffer(spread(x, rows: g.channels, gap: gap))
            let output = GuardedBuffer(count: (positions - first) * stride)
            g.im2col(
                Rows(input.pointer, stride: g.channels + gap), positions: first..<positions,
                into: Rows(output.pointer, stride: stride), kernels: kernels)
            output.checkGuards("im2col")
            for position in first..<positions {
                let row = (0..<g.depth).map { output.pointer[(position - first) * stride + $0] }
                #expect(row == expected[position], "\(kernels.name) \(g) position \(position), gap \(gap)")
            }
        }
    }
}
