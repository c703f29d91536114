import CETNetEngine
import CETNetGraph
import TestSupport
import Testing

/// Graphs that no network has: operators put together at random, so that values are shared, sliced, joined and added in
/// ways that fusing, placing and replacing have to get right.
@Suite struct RandomGraphTests {
    @Test(arguments: Variety.all) func agreeWithTheirDefinition(_ variety: Variety) throws {
        for seed in 0..<60 {
            try check(RandomGraph(seed: UInt64(seed)), variety)
        }
    }

    private func check(_ random: RandomGraph, _ variety: Variety) throws {
        let size = ImageSize(height: 5 + Int(random.seed % 4), width: 4 + Int(random.seed % 3))
        let graph = random.graph(size)
        let tensors = random.tensors(graph)
        let images = 2
        // Two inputs, of any number of channels.
        let inputs = graph.inputs.map { input in
            var noise = random.noise(of: input.label)
            return (0..<images * input.shape.count).map { _ in noise.next() }
        }
        let frozen = try FrozenNetwork(
            referenceSize: size, weights: MemoryTensors(tensors: tensors), backend: variety.backend,
            kernels: variety.kernels, threads: 1, makeGraph: { random.graph($0) })
        let interpreter = GraphInterpreter(tensors: tensors)
        let expected = (0..<images).map { image in
            interpreter.run(
                graph,
                inputs: Dictionary(
                    uniqueKeysWithValues: zip(graph.inputs, inputs).map { input, values in
                        (input.label, Array(values[image * input.shape.count..<(image + 1) * input.shape.count]))
                    }))
        }
        for threads in [1, 3] {
            let result = try Session(network: frozen, threads: threads, sharesProcessors: false).outputs(
                inputs, batch: images, size: size, features: true)
            let name = "\(variety.testDescription), graph \(random.seed), \(threads) threads\n\(random.description)"
            // Measured: at most 3e-6. Rounding errors of some ten layers, each relative to its largest number.
            expectClose(
                result.logits, expected.flatMap { $0[graph.logits.index].map(Float.init) }, tolerance: 2e-5, name)
            for (stage, value) in graph.features.enumerated() {
                let shape = graph.shape(of: value)
                let planes = expected.flatMap { values in
                    (0..<shape.count).map { index in
                        Float(values[value.index][index % shape.tokens * shape.channels + index / shape.tokens])
                    }
                }
                expectClose(result.features[stage], planes, tolerance: 2e-5, "\(name)\nfeature \(stage)")
            }
        }
    }
}

/// A graph made from a seed; the same for the same seed.
struct RandomGraph: Sendable, CustomStringConvertible {
    let seed: UInt64

    /// What a graph is made with.
    struct Noise {
        private var generator: SeededGenerator

        init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

        /// Numbers between −1.7 and 1.7 of variance 1.
        mutating func next() -> Float { generator.float() * 1.732 }

        mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

        mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
    }

    func noise(of name: String) -> Noise {
        Noise(seed: name.utf8.reduce(seed &+ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    func tensors(_ graph: Graph) -> [String: [Float]] {
        var tensors: [String: [Float]] = [:]
        for parameter in graph.parameters {
            var noise = noise(of: parameter.name)
            let fanIn = Float(parameter.shape.dropFirst().reduce(1, *))
            tensors[parameter.name] = (0..<parameter.count).map { _ in
                switch parameter.role {
                case .weight: noise.next() / fanIn.squareRoot()
                case .bias, .runningMean, .positionBias: 0.3 * noise.next()
                case .scale, .runningVariance: 1 + 0.3 * noise.next()
                }
            }
        }
        return tensors
    }

    var description: String {
        graph(ImageSize(square: 5)).nodes.map { node in
            "\(node.output.index) = \(node.operator.name)(\(node.inputs.map { String($0.index) }.joined(separator: ", "))) "
                + "\(node.shape)"
        }.joined(separator: "\n")
    }

    func graph(_ size: ImageSize) -> Graph {
        var noise = Noise(seed: seed &+ 1)
        var builder = GraphBuilder()
        let image = builder.input("image", TensorShape(height: size.height, width: size.width, channels: 3))
        let depth = builder.input(
            "depth", TensorShape(height: size.height, width: size.width, channels: 1 + noise.below(9)))
        // Maps of the image's size, which may be joined with each other.
        var maps = [image, depth]
        for index in 0..<14 {
            // Rather a recent value than an old one.
            let x = maps[max(noise.below(maps.count), noise.below(maps.count))]
            // Convolutions of heads are computed in another way.
            builder.part = noise.below(2) == 0 ? .head : .image
            if let y = appendOperator("n\(index)", to: &builder, x, maps, &noise), !maps.contains(y) { maps.append(y) }
        }
        let last = maps[maps.count - 1]
        for value in Set([last, noise.pick(maps)]).sorted(by: { $0.index < $1.index }) {
            builder.output("map\(value.index)", value)
        }
        let mean = builder.append("mean", .meanOverTokens, [last])
        let head = Linear(name: "head", inputChannels: builder.shape(of: last).channels, outputChannels: 5)
        builder.output("logits", builder.append("head", .linear(head), [mean]))
        return builder.finish()
    }

    /// Appends an operator, or a few that belong together, that reads `x`; `nil` if the one chosen does not fit.
    private func appendOperator(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ maps: [ValueID], _ noise: inout Noise
    ) -> ValueID? {
        let channels = builder.shape(of: x).channels
        let alike = maps.filter { builder.shape(of: $0) == builder.shape(of: x) }
        func linear(_ name: String, _ x: ValueID, _ outputs: Int, bias: Bool = true) -> ValueID {
            let layer = Linear(
                name: name, inputChannels: builder.shape(of: x).channels, outputChannels: outputs, bias: bias)
            return builder.append(name, .linear(layer), [x])
        }
        switch noise.below(22) {
        case 0, 1:
            return linear(name, x, noise.pick([channels, channels, 1 + noise.below(40)]))
        case 2:
            return convolution(name, to: &builder, x, depthwise: noise.below(2) == 0, &noise)
        case 3:
            return builder.append(name, .activation(noise.pick([.gelu, .relu, .sigmoid])), [x])
        case 4, 5:
            return builder.append(name, .add, [x, noise.pick(alike)])
        case 6, 7:
            let others = (0...noise.below(2)).map { _ in noise.pick(maps) }
            guard others.reduce(channels, { $0 + builder.shape(of: $1).channels }) <= 100 else { return nil }
            return builder.append(name, .concatenation, [x] + others)
        case 8:
            let first = noise.below(channels)
            return builder.append(name, .channelSlice(first..<first + 1 + noise.below(channels - first)), [x])
        case 9:
            return channels <= 50 ? builder.append(name, .channelShuffle, [x, noise.pick(alike)]) : nil
        case 10:
            let mean = builder.append(name + ".mean", .meanOverTokens, [noise.pick(maps)])
            let gate = builder.append(name + ".gate", .activation(.sigmoid), [linear(name + ".fc", mean, channels)])
            return builder.append(name, .channelScale, [x, gate])
        case 11:
            let norm = LayerNorm(name: name, channels: channels)
            // Of few channels, LayerNorm blows rounding errors up.
            return channels >= 8 ? builder.append(name, .layerNorm(norm), [x]) : nil
        case 12, 13:
            return attention(name, to: &builder, x, &noise)
        case 14:
            return classToken(name, to: &builder, x, &noise)
        case 15, 16:
            return resized(name, to: &builder, x, &noise)
        case 17, 18:
            return fused(name, to: &builder, x, maps, &noise)
        default:
            guard channels >= 2 else { return nil }
            // A side branch, whose result scales the map.
            let gathered = builder.append(name + ".gather", .patchGathering, [x])
            let norm = LayerNorm(name: name + ".norm", channels: 4 * channels)
            let normed = builder.append(name + ".norm", .layerNorm(norm), [gathered])
            let reduced = linear(name + ".reduction", normed, channels, bias: false)
            let mean = builder.append(name + ".mean", .meanOverTokens, [reduced])
            return builder.append(name, .channelScale, [x, mean])
        }
    }

    /// Projection and attention in windows, in stripes, or to the keys of another map.
    private func attention(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ noise: inout Noise
    ) -> ValueID {
        func linear(_ suffix: String, _ x: ValueID, _ outputs: Int) -> ValueID {
            let layer = Linear(
                name: "\(name).\(suffix)", inputChannels: builder.shape(of: x).channels, outputChannels: outputs)
            return builder.append("\(name).\(suffix)", .linear(layer), [x])
        }
        let heads = 2 * noise.pick([1, 2])
        let channels = heads * noise.pick([1, 4, 8])
        switch noise.below(3) {
        case 0:
            let window = noise.pick([2, 3, 4])
            let attention = WindowAttention(
                name: name, channels: channels, heads: heads, windowSize: window,
                shift: noise.pick([0, window / 2]))
            return builder.append(name, .windowAttention(attention), [linear("qkv", x, 3 * channels)])
        case 1:
            let stripes: [CrossShapedAttention.Stripe] =
                noise.below(3) == 0
                ? [.map] : [.vertical(width: noise.pick([1, 2])), .horizontal(width: noise.pick([1, 3]))]
            let attention = CrossShapedAttention(name: name, channels: channels, heads: heads, stripes: stripes)
            return builder.append(name, .crossShapedAttention(attention), [linear("qkv", x, 3 * channels)])
        default:
            let attention = GlobalAttention(channels: channels, heads: heads, scale: 0.4)
            let queries = linear("q", x, channels)
            let reduction = Convolution(
                name: name + ".sr", inputChannels: builder.shape(of: x).channels, outputChannels: 9, kernel: 2,
                stride: 2, bias: true)
            let reduced = builder.append(name + ".sr", .convolution(reduction), [x])
            let operands =
                noise.below(2) == 0
                ? [queries, linear("kv", reduced, 2 * channels)]
                : [queries, linear("k", reduced, channels), linear("v", reduced, channels)]
            return builder.append(name, .globalAttention(attention), operands)
        }
    }

    /// A side branch with a class token, which travels around a convolution and scales the map in the end.
    private func classToken(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ noise: inout Noise
    ) -> ValueID? {
        let channels = builder.shape(of: x).channels
        guard channels >= 2 else { return nil }
        let token = ClassToken(name: name + ".cls_token", channels: channels)
        var y = builder.append(name + ".cls_token", .appendClassToken(token), [x])
        if noise.below(2) == 0 {
            let grid = ImageSize(height: 2 + noise.below(5), width: 3)
            let positions = PositionEmbedding(name: name + ".pos", channels: channels, grid: grid, classTokens: 1)
            y = builder.append(name + ".pos", .positionEmbedding(positions), [y])
        }
        let convolution = Convolution(
            name: name + ".conv", inputChannels: channels, outputChannels: channels, kernel: 3, padding: 1,
            groups: channels, bias: true)
        let convolved = builder.append(name + ".conv", .convolution(convolution), [y])
        y = builder.append(name + ".carry", .carryClassToken, [convolved, y])
        let attention = GlobalAttention(channels: channels, heads: 1, scale: 0.3)
        let keys = Linear(name: name + ".kv", inputChannels: channels, outputChannels: 2 * channels)
        let packed = builder.append(name + ".kv", .linear(keys), [y])
        let projection = Linear(name: name + ".q", inputChannels: channels, outputChannels: channels)
        let queries = builder.append(name + ".q", .linear(projection), [y])
        y = builder.append(name + ".attn", .globalAttention(attention), [queries, packed])
        y = builder.append(name + ".token", .takeClassToken, [y])
        y = builder.append(name + ".gate", .activation(.sigmoid), [y])
        return builder.append(name, .channelScale, [x, y])
    }

    /// Pooled, padded or convolved with a stride, then resized to the map's own size.
    private func resized(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ noise: inout Noise
    ) -> ValueID {
        let small =
            switch noise.below(3) {
            case 0:
                builder.append(
                    name + ".pool", .adaptiveAveragePooling(AdaptiveAveragePooling(side: 1 + noise.below(6))), [x])
            case 1: builder.append(name + ".pad", .zeroPadding(ZeroPadding(multiple: 1 + noise.below(4))), [x])
            default: halved(name + ".half", to: &builder, x, &noise)
            }
        let resize = BilinearResize(size: builder.shape(of: x).size)
        return builder.append(name, .bilinearResize(resize), [small])
    }

    private func halved(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ noise: inout Noise
    ) -> ValueID {
        let convolution = Convolution(
            name: name, inputChannels: builder.shape(of: x).channels, outputChannels: 1 + noise.below(20), kernel: 3,
            stride: 2, padding: 1, bias: true)
        return builder.append(name, .convolution(convolution), [x])
    }

    /// A 3×3 convolution of a map beside one or two that were resized to its size, in any order.
    private func fused(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, _ maps: [ValueID], _ noise: inout Noise
    ) -> ValueID? {
        var parts = (0...noise.below(2)).map { resized("\(name).\($0)", to: &builder, noise.pick(maps), &noise) }
        parts.insert(x, at: noise.below(parts.count + 1))
        guard parts.reduce(0, { $0 + builder.shape(of: $1).channels }) <= 200 else { return nil }
        let joined = builder.append(name + ".concat", .concatenation, parts)
        return convolution(name, to: &builder, joined, depthwise: false, &noise)
    }

    /// 1×1, 3×3 or depthwise 3×3, with or without BatchNorm and activation.
    private func convolution(
        _ name: String, to builder: inout GraphBuilder, _ x: ValueID, depthwise: Bool, _ noise: inout Noise
    ) -> ValueID {
        let channels = builder.shape(of: x).channels
        let depthwise = depthwise && channels > 1
        let kernel = depthwise ? 3 : noise.pick([1, 3])
        let outputs = depthwise ? channels : noise.pick([channels, 1 + noise.below(40)])
        var y = builder.append(
            name + ".conv",
            .convolution(
                Convolution(
                    name: name + ".conv", inputChannels: channels, outputChannels: outputs, kernel: kernel,
                    padding: kernel / 2, groups: depthwise ? channels : 1, bias: noise.below(2) == 0)), [x])
        if noise.below(2) == 0 {
            y = builder.append(name + ".bn", .batchNorm(BatchNorm(name: name + ".bn", channels: outputs)), [y])
        }
        return noise.below(2) == 0
            ? builder.append(name + ".act", .activation(noise.pick([.gelu, .relu])), [y]) : y
    }
}
