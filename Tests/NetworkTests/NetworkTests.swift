import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

struct NetworkTests {
    @Test(arguments: ["small", "seven-layers"])
    func tensorsAreThoseOfThePyTorchDefinition(_ name: String) throws {
        let network = try Network(ModelConfiguration(json: fixture(name + ".json"), source: name))
        let graph = network.graph(imageSize: ImageSize(square: 64))
        #expect(network.parameters == graph.parameters)
        #expect(network.parameterCount == graph.parameterCount)
        let found = graph.parameters.map { "\($0.name) \($0.shape)" }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        let expected = try fixtureLines(name + ".parameters.txt")
        #expect(found == expected, "\(Set(found).symmetricDifference(expected).sorted())")
    }

    /// The whole graph of a small model, once, as people would write it down.
    @Test func readsLikeThePaper() throws {
        let configuration = smallConfiguration { $0.depths = [2, 1, 1, 1] }
        let graph = try Network(configuration).graph(imageSize: ImageSize(height: 64, width: 96))
        let stageOne = graph.nodes.filter { $0.stage == nil || $0.stage == 0 }
        let text = stageOne.map { "\($0.name) | \($0.operator.name) | \($0.shape) | \($0.part.rawValue)" }
        #expect(
            text == [
                "image | input | 64x96x3 | image",
                "stem.0.fused.conv | convolution | 32x48x4 | stem",
                "stem.0.fused.bn | batch norm | 32x48x4 | stem",
                "stem.0.fused.act | GELU | 32x48x4 | stem",
                "stem.1.fused.conv | convolution | 32x48x4 | stem",
                "stem.1.fused.bn | batch norm | 32x48x4 | stem",
                "stem.1.fused.act | GELU | 32x48x4 | stem",
                "stem.1.add | add | 32x48x4 | stem",
                "stages.0.embed.layers.0.fused.conv | convolution | 16x24x8 | convolutional embedding",
                "stages.0.embed.layers.0.fused.bn | batch norm | 16x24x8 | convolutional embedding",
                "stages.0.embed.layers.0.fused.act | GELU | 16x24x8 | convolutional embedding",
                "stages.0.embed.layers.0.project.conv | convolution | 16x24x6 | convolutional embedding",
                "stages.0.embed.layers.0.project.bn | batch norm | 16x24x6 | convolutional embedding",
                "stages.0.embed.layers.1.fused.conv | convolution | 16x24x12 | convolutional embedding",
                "stages.0.embed.layers.1.fused.bn | batch norm | 16x24x12 | convolutional embedding",
                "stages.0.embed.layers.1.fused.act | GELU | 16x24x12 | convolutional embedding",
                "stages.0.embed.layers.1.project.conv | convolution | 16x24x6 | convolutional embedding",
                "stages.0.embed.layers.1.project.bn | batch norm | 16x24x6 | convolutional embedding",
                "stages.0.embed.layers.1.add | add | 16x24x6 | convolutional embedding",
                "stages.0.embed.proj | convolution | 16x24x8 | convolutional embedding",
                "stages.0.embed.norm | layer norm | 16x24x8 | convolutional embedding",
                "stages.0.blocks.0.local | depthwise convolution | 16x24x8 | local convolution",
                "stages.0.blocks.0.norm1 | layer norm | 16x24x8 | attention",
                "stages.0.blocks.0.attn.qkv | linear | 16x24x24 | attention",
                "stages.0.blocks.0.attn | window attention | 16x24x8 | attention",
                "stages.0.blocks.0.attn.proj | linear | 16x24x8 | attention",
                "stages.0.blocks.0.attn.add | add | 16x24x8 | attention",
                "stages.0.blocks.0.norm2 | layer norm | 16x24x8 | MLP",
                "stages.0.blocks.0.mlp.fc1 | linear | 16x24x32 | MLP",
                "stages.0.blocks.0.mlp.act | GELU | 16x24x32 | MLP",
                "stages.0.blocks.0.mlp.fc2 | linear | 16x24x8 | MLP",
                "stages.0.blocks.0.mlp.add | add | 16x24x8 | MLP",
                "stages.0.blocks.1.local | depthwise convolution | 16x24x8 | local convolution",
                "stages.0.blocks.1.norm1 | layer norm | 16x24x8 | attention",
                "stages.0.blocks.1.attn.qkv | linear | 16x24x24 | attention",
                "stages.0.blocks.1.attn | window attention | 16x24x8 | attention",
                "stages.0.blocks.1.attn.proj | linear | 16x24x8 | attention",
                "stages.0.blocks.1.attn.add | add | 16x24x8 | attention",
                "stages.0.blocks.1.norm2 | layer norm | 16x24x8 | MLP",
                "stages.0.blocks.1.mlp.fc1 | linear | 16x24x32 | MLP",
                "stages.0.blocks.1.mlp.act | GELU | 16x24x32 | MLP",
                "stages.0.blocks.1.mlp.fc2 | linear | 16x24x8 | MLP",
                "stages.0.blocks.1.mlp.add | add | 16x24x8 | MLP",
                "norm | layer norm | 2x3x32 | head",
                "mean | mean over tokens | 1x1x32 | head",
                "head | linear | 1x1x2 | head",
            ])
        #expect(graph.outputs.map(\.name) == ["stage1", "stage2", "stage3", "stage4", "logits"])
        #expect(graph.output("logits") == graph.nodes.last?.output)
    }

    @Test func laterStagesAreFiveMBConv() throws {
        let graph = try Network(smallConfiguration()).graph(imageSize: ImageSize(square: 64))
        let embedding = graph.nodes.filter { $0.stage == 1 && $0.part == .convolutionalEmbedding }
        let prefix = "stages.1.embed."
        let names = embedding.map { String($0.name.dropFirst(prefix.count)) }
        let layer = [
            "expand.conv", "expand.bn", "expand.act", "dw.conv", "dw.bn", "dw.act", "project.conv", "project.bn",
        ]
        #expect(embedding.allSatisfy { $0.name.hasPrefix(prefix) })
        #expect(
            names == layer.map { "layers.0." + $0 }
                + (1...4).flatMap { index in (layer + ["add"]).map { "layers.\(index).\($0)" } } + ["norm"])
        guard case .convolution(let first) = try graph.node(prefix + "layers.0.dw.conv").operator,
            case .convolution(let second) = try graph.node(prefix + "layers.1.dw.conv").operator
        else {
            Issue.record("not convolutions")
            return
        }
        #expect(first.groups == 16 && first.stride == 2 && first.padding == 1)
        #expect(second.groups == 16 && second.stride == 1 && second.padding == 1)
    }

    @Test func everyNodeReadsValuesThatComeBeforeIt() throws {
        let graph = try Network(ModelConfiguration(variant: "cetnet-s")).graph(imageSize: ImageSize(square: 224))
        #expect(Set(graph.nodes.map(\.name)).count == graph.nodes.count, "names are unique")
        #expect(Set(graph.parameters.map(\.name)).count == graph.parameters.count, "tensors are unique")
        for (index, node) in graph.nodes.enumerated() {
            #expect(node.output.index == index)
            #expect(node.inputs.allSatisfy { $0.index < index }, "\(node.name)")
            for parameter in node.operator.parameters {
                #expect(parameter.name.hasPrefix(node.name + "."), "\(parameter.name) of \(node.name)")
            }
        }
    }

    /// A residual adds what entered the branch, not what a neighbour made.
    @Test func residualsAddTheBranchsInput() throws {
        let graph = try Network(smallConfiguration()).graph(imageSize: ImageSize(square: 64))
        func inputs(_ name: String) throws -> [String] {
            try graph.node(name).inputs.map { graph.nodes[$0.index].name }
        }
        #expect(try inputs("stem.1.add") == ["stem.0.fused.act", "stem.1.fused.act"])
        #expect(
            try inputs("stages.0.embed.layers.1.add")
                == ["stages.0.embed.layers.0.project.bn", "stages.0.embed.layers.1.project.bn"])
        #expect(
            try inputs("stages.1.embed.layers.2.add")
                == ["stages.1.embed.layers.1.add", "stages.1.embed.layers.2.project.bn"])
        #expect(try inputs("stages.2.blocks.0.local") == ["stages.2.embed.norm"])
        #expect(
            try inputs("stages.2.blocks.0.attn.add") == ["stages.2.blocks.0.local", "stages.2.blocks.0.attn.proj"])
        #expect(
            try inputs("stages.2.blocks.0.mlp.add") == ["stages.2.blocks.0.attn.add", "stages.2.blocks.0.mlp.fc2"])
    }

    /// Equal widths do not make a residual where the stride is 2.
    @Test func stridedLayersHaveNoResidual() throws {
        let configuration = smallConfiguration {
            $0.dims = [8, 8, 8, 8]
            $0.numHeads = [1, 1, 1, 1]
            $0.stemChannels = [8, 8]
        }
        let graph = try Network(configuration).graph(imageSize: ImageSize(square: 32))
        let adds = graph.nodes.filter { $0.operator == .add && $0.part != .attention && $0.part != .mlp }.map(\.name)
        #expect(
            adds == ["stem.1.add", "stages.0.embed.layers.1.add"]
                + (1...3).flatMap { stage in (1...4).map { "stages.\(stage).embed.layers.\($0).add" } })
    }

    @Test func everySecondBlockIsShiftedByHalfAWindow() throws {
        for window in [4, 7] {
            let configuration = smallConfiguration {
                $0.depths = [1, 2, 5, 3]
                $0.windowSize = window
            }
            let graph = try Network(configuration).graph(imageSize: ImageSize(square: 64))
            let shifts = graph.nodes.compactMap { node -> Int? in
                guard case .windowAttention(let attention) = node.operator else { return nil }
                return attention.shift
            }
            let s = window / 2
            #expect(shifts == [0, 0, s, 0, s, 0, s, 0, 0, s, 0])
        }
    }

    @Test func attentionHasItsHeadsAndItsPaddingBias() throws {
        let graph = try Network(smallConfiguration()).graph(imageSize: ImageSize(square: 64))
        guard case .windowAttention(let attention) = try graph.node("stages.2.blocks.0.attn").operator,
            case .linear(let projection) = try graph.node("stages.2.blocks.0.attn.qkv").operator
        else {
            Issue.record("not attention")
            return
        }
        #expect(attention.channels == 24 && attention.heads == 3 && attention.headDimension == 8)
        #expect(attention.windowSize == 7)
        #expect(attention.relativePositionBiasTable.shape == [169, 3])
        #expect(attention.qkvBias == projection.bias)
    }

    @Test func swinIsLEWinWithoutTheLocalConvolution() throws {
        let size = ImageSize(square: 64)
        let lewin = try Network(smallConfiguration()).graph(imageSize: size)
        let swin = try Network(smallConfiguration { $0.block = .swin }).graph(imageSize: size)
        #expect(lewin.nodes.filter { $0.part != .localConvolution }.map(\.name) == swin.nodes.map(\.name))
        #expect(lewin.nodes.count == swin.nodes.count + 4)
    }

    @Test func theActivationOfTheMLPIsTheConfigurations() throws {
        let configuration = smallConfiguration { $0.hiddenActivation = .quickGELU }
        let graph = try Network(configuration).graph(imageSize: ImageSize(square: 64))
        for node in graph.nodes {
            guard case .activation(let activation) = node.operator else { continue }
            #expect(activation == (node.part == .mlp ? .quickGELU : .gelu), "\(node.name)")
        }
    }

    /// Stride-2 layers give ⌈n/2⌉, whatever the size.
    @Test(arguments: [(32, 32), (33, 47), (200, 168), (256, 320), (32, 1000), (225, 223), (63, 65)])
    func stagesHaveTheirSizes(_ height: Int, _ width: Int) throws {
        let network = try Network(ModelConfiguration(variant: "cetnet-t"))
        let graph = network.graph(imageSize: ImageSize(height: height, width: width))
        func halved(_ n: Int, _ times: Int) -> Int { (0..<times).reduce(n) { n, _ in (n + 1) / 2 } }
        #expect(
            graph.features.map(graph.shape(of:))
                == [64, 128, 256, 512].enumerated().map { stage, channels in
                    TensorShape(height: halved(height, stage + 2), width: halved(width, stage + 2), channels: channels)
                })
        let logits = try #require(graph.output("logits"))
        #expect(graph.shape(of: logits) == TensorShape(height: 1, width: 1, channels: 1000))
        #expect(
            graph.features.map { graph.nodes[$0.index].name }
                == ["0.blocks.1", "1.blocks.1", "2.blocks.15", "3.blocks.1"].map { "stages.\($0).mlp.add" })
    }

    /// A single layer is a single strided convolution, and there is no stem.
    @Test func aSingleLayerIsAConvolution() throws {
        let graph = try Network(smallConfiguration { $0.ceLayers = 1 }).graph(
            imageSize: ImageSize(height: 33, width: 64))
        #expect(!graph.nodes.dropFirst().contains { $0.part == .stem })
        let projections = graph.nodes.filter { $0.name.hasSuffix("embed.proj") }
        #expect(projections.map { $0.shape.description } == ["9x16x8", "5x8x16", "3x4x24", "2x2x32"])
        let layers = projections.compactMap { node -> [Int]? in
            guard case .convolution(let convolution) = node.operator, convolution.bias != nil else { return nil }
            return [convolution.kernel, convolution.stride, convolution.padding]
        }
        #expect(layers == [[7, 4, 3], [3, 2, 1], [3, 2, 1], [3, 2, 1]])
    }

    @Test func aConfigurationThatMakesNoSenseIsRefused() {
        let found = message { _ = try Network(smallConfiguration { $0.windowSize = 0 }, source: "config.json") }
        #expect(found == "config.json: \"window_size\": expected a number from 1 to 32, found 0")
    }

    /// Within every single limit, and still more than any memory holds.
    @Test func aModelOfAbsurdSizeIsRefused() {
        let configuration = ModelConfiguration(
            dims: [8192, 8192, 8192, 8192], depths: [512, 512, 512, 512], numHeads: [1, 1, 1, 1],
            mlpRatios: [64, 64, 64, 64])
        let found = message { _ = try Network(configuration, source: "c") }
        #expect(
            found?.hasPrefix("c: \"dims\": expected a model of at most 2147483648 parameters, found ") == true,
            "\(found ?? "accepted")")
    }
}
