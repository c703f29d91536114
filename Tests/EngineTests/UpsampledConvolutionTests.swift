import CETNetEngine
import CETNetGraph
import TestSupport
import Testing

/// A convolution over maps of several sizes, large enough for some bands and a ring that closes.
@Suite struct UpsampledConvolutionTests {
    private static let size = ImageSize(height: 91, width: 70)

    /// Maps of all sizes beside one of full size, which is the second of five.
    private static func graph(_ size: ImageSize) -> Graph {
        var builder = GraphBuilder()
        builder.part = .head
        func shape(_ divisor: Int, _ channels: Int) -> TensorShape {
            TensorShape(
                height: (size.height + divisor - 1) / divisor, width: (size.width + divisor - 1) / divisor,
                channels: channels)
        }
        var parts = [(2, 5), (1, 9), (3, 4), (17, 3), (200, 6)].map { divisor, channels in
            let input = builder.input("map\(divisor)", shape(divisor, channels))
            guard divisor > 1 else { return input }
            return builder.append("up\(divisor)", .bilinearResize(BilinearResize(size: size)), [input])
        }
        parts = [builder.append("concat", .concatenation, parts)]
        let convolution = Convolution(
            name: "conv", inputChannels: 27, outputChannels: 11, kernel: 3, padding: 1, bias: false)
        var x = builder.append("conv", .convolution(convolution), parts)
        x = builder.append("bn", .batchNorm(BatchNorm(name: "bn", channels: 11)), [x])
        x = builder.append("act", .activation(.relu), [x])
        builder.output("logits", x)
        return builder.finish()
    }

    private let graph = Self.graph(Self.size)
    private let tensors = RandomGraph(seed: 5).tensors(Self.graph(Self.size))

    private func inputs(images: Int) -> [[Float]] {
        graph.inputs.map { input in
            var noise = SeededGenerator(seed: UInt64(input.shape.height))
            return noise.values(images * input.shape.count)
        }
    }

    private func frozen(_ variety: Variety, _ precision: Precision) throws -> FrozenNetwork {
        try FrozenNetwork(
            referenceSize: Self.size, weights: MemoryTensors(tensors: tensors), backend: variety.backend,
            precision: precision, kernels: variety.kernels, threads: 1, makeGraph: Self.graph)
    }

    @Test func agreesWithItsDefinition() throws {
        let inputs = inputs(images: 1)
        let values = GraphInterpreter(tensors: tensors).run(
            graph, inputs: Dictionary(uniqueKeysWithValues: zip(graph.inputs.map(\.label), inputs)))
        let shape = graph.shape(of: graph.logits)
        let expected = (0..<shape.count).map { index in
            Float(values[graph.logits.index][index % shape.tokens * shape.channels + index / shape.tokens])
        }
        // Sums of 243 products, rounded once each. Numbers of bfloat16 are off by up to 2^-9, and a transform of a map adds
        // up to four of them.
        for variety in Variety.all {
            for (precision, tolerance) in [(Precision.float32, Float(1e-5)), (.bfloat16, 2e-2), (.int8, 2e-2)] {
                let network = try frozen(variety, precision)
                let steps = try Session(network: network, threads: 1).steps(size: Self.size)
                #expect(steps.map(\.name) == graph.inputs.map(\.label) + ["conv", "logits"])
                // 46 × 35 tiles of the map of full size; nine products of each of the other maps.
                let products = [46 * 35 * 5, 31 * 24 * 4, 6 * 5 * 3, 6].map { $0 * 9 * 11 }.reduce(0, +)
                #expect(steps.map(\.multiplyAdds).reduce(0, +) == 46 * 35 * 16 * 9 * 11 + products)
                let logits = try Session(network: network, threads: 1).outputs(inputs, batch: 1, size: Self.size).logits
                expectClose(logits, expected, tolerance: tolerance, "\(variety.testDescription) \(precision)")
            }
        }
    }

    @Test(arguments: Variety.all) func bitsDependOnNothingElse(_ variety: Variety) throws {
        for precision in Precision.allCases {
            let network = try frozen(variety, precision)
            let inputs = inputs(images: 3)
            let alone = try (0..<3).flatMap { image in
                let own = zip(graph.inputs, inputs).map {
                    Array($1[image * $0.shape.count..<(image + 1) * $0.shape.count])
                }
                return try Session(network: network, threads: 1).outputs(own, batch: 1, size: Self.size).logits
            }
            for threads in [2, 3, 7] {
                let logits = try Session(network: network, threads: threads, sharesProcessors: false).outputs(
                    inputs, batch: 3, size: Self.size
                ).logits
                #expect(logits == alone, "\(variety.testDescription) \(precision) on \(threads) threads")
            }
        }
    }
}
