import CETNetGraph
import CETNetNetworks
import Testing

/// The graphs of the other backbones' blocks.
struct BackboneNetworkTests {
    /// The nodes of one stage as people would write them down.
    private func text(_ graph: Graph, stage: Int?) -> [String] {
        graph.nodes.filter { $0.stage == stage }.map { "\($0.name) | \($0.operator.name) | \($0.shape)" }
    }

    private func inputs(_ name: String, of graph: Graph) throws -> [String] {
        try graph.node(name).inputs.map { graph.nodes[$0.index].name }
    }

    @Test func pyramid() throws {
        let configuration = smallConfiguration {
            $0.block = .pvt
            $0.embeddings = [.patch, .patch, .patch, .patch]
            $0.imageSize = 64
        }
        let graph = try Network(configuration).graph(imageSize: ImageSize(height: 67, width: 96))
        #expect(
            text(graph, stage: 0) == [
                "stages.0.embed.proj | convolution | 16x24x8",
                "stages.0.embed.norm | layer norm | 16x24x8",
                "pos_embed1 | position embedding | 16x24x8",
                "stages.0.blocks.0.norm1 | layer norm | 16x24x8",
                "stages.0.blocks.0.attn.q | linear | 16x24x8",
                "stages.0.blocks.0.attn.sr | convolution | 2x3x8",
                "stages.0.blocks.0.attn.norm | layer norm | 2x3x8",
                "stages.0.blocks.0.attn.kv | linear | 2x3x16",
                "stages.0.blocks.0.attn | global attention | 16x24x8",
                "stages.0.blocks.0.attn.proj | linear | 16x24x8",
                "stages.0.blocks.0.attn.add | add | 16x24x8",
                "stages.0.blocks.0.norm2 | layer norm | 16x24x8",
                "stages.0.blocks.0.mlp.fc1 | linear | 16x24x32",
                "stages.0.blocks.0.mlp.act | GELU | 16x24x32",
                "stages.0.blocks.0.mlp.fc2 | linear | 16x24x8",
                "stages.0.blocks.0.mlp.add | add | 16x24x8",
            ])
        #expect(
            text(graph, stage: 3).prefix(8) == [
                "stages.3.embed.proj | convolution | 2x3x32",
                "stages.3.embed.norm | layer norm | 2x3x32",
                "cls_token | class token | 2x3x32 and a class token",
                "pos_embed4 | position embedding | 2x3x32 and a class token",
                "stages.3.blocks.0.norm1 | layer norm | 2x3x32 and a class token",
                "stages.3.blocks.0.attn.q | linear | 2x3x32 and a class token",
                "stages.3.blocks.0.attn.kv | linear | 2x3x64 and a class token",
                "stages.3.blocks.0.attn | global attention | 2x3x32 and a class token",
            ])
        #expect(
            text(graph, stage: nil).dropFirst() == [
                "token | class token | 1x1x32", "norm | layer norm | 1x1x32", "head | linear | 1x1x2",
            ])
        #expect(
            try inputs("stages.0.blocks.0.attn", of: graph)
                == ["stages.0.blocks.0.attn.q", "stages.0.blocks.0.attn.kv"])
        let shapes = graph.parameters.filter { $0.name.hasPrefix("pos_embed") || $0.name == "cls_token" }
        #expect(
            shapes.map { "\($0.name) \($0.shape)" } == [
                "pos_embed1 [1, 256, 8]", "pos_embed2 [1, 64, 16]", "pos_embed3 [1, 16, 24]", "cls_token [1, 1, 32]",
                "pos_embed4 [1, 5, 32]",
            ])
        let epsilons = graph.nodes.compactMap { node -> String? in
            guard case .layerNorm(let norm) = node.operator, norm.epsilon == 1e-6 else { return nil }
            return node.name
        }
        let norms = (0...3).flatMap { ["stages.\($0).blocks.0.norm1", "stages.\($0).blocks.0.norm2"] }
        #expect(epsilons == norms + ["norm"])

        // Where the configuration has one, it is that of all.
        var small = try ModelConfiguration(variant: "pvt-s")
        small.layerNormEpsilon = 0.25
        let others = try Network(small).graph(imageSize: ImageSize(square: 64)).nodes.filter { node in
            guard case .layerNorm(let norm) = node.operator else { return false }
            return norm.epsilon != 0.25
        }
        #expect(others.isEmpty, "\(others.map(\.name))")
    }

    /// The convolutional embedding takes the place of position embeddings and class token.
    @Test func pyramidWithConvolutionalEmbedding() throws {
        let graph = try Network(smallConfiguration { $0.block = .pvt }).graph(imageSize: ImageSize(square: 64))
        #expect(!graph.parameters.contains { $0.name.hasPrefix("pos_embed") || $0.name == "cls_token" })
        #expect(
            text(graph, stage: nil).suffix(3) == [
                "norm | layer norm | 2x2x32", "mean | mean over tokens | 1x1x32", "head | linear | 1x1x2",
            ])
    }

    @Test func convolutionalProjections() throws {
        let configuration = smallConfiguration {
            $0.block = .cvt
            $0.dims = [8, 16, 24]
            $0.depths = [1, 1, 1]
            $0.numHeads = [1, 2, 3]
            $0.mlpRatios = [4, 4, 4]
            $0.embeddings = [.conv, .conv, .conv]
            $0.hiddenActivation = .quickGELU
        }
        let graph = try Network(configuration).graph(imageSize: ImageSize(height: 64, width: 80))
        #expect(
            text(graph, stage: 2) == [
                "stages.2.embed.proj | convolution | 4x5x24",
                "stages.2.embed.norm | layer norm | 4x5x24",
                "cls_token | class token | 4x5x24 and a class token",
                "stages.2.blocks.0.norm1 | layer norm | 4x5x24 and a class token",
                "stages.2.blocks.0.attn.conv_proj_q.conv | depthwise convolution | 4x5x24",
                "stages.2.blocks.0.attn.conv_proj_q.bn | batch norm | 4x5x24",
                "stages.2.blocks.0.attn.conv_proj_q.token | class token | 4x5x24 and a class token",
                "stages.2.blocks.0.attn.proj_q | linear | 4x5x24 and a class token",
                "stages.2.blocks.0.attn.conv_proj_k.conv | depthwise convolution | 2x3x24",
                "stages.2.blocks.0.attn.conv_proj_k.bn | batch norm | 2x3x24",
                "stages.2.blocks.0.attn.conv_proj_k.token | class token | 2x3x24 and a class token",
                "stages.2.blocks.0.attn.proj_k | linear | 2x3x24 and a class token",
                "stages.2.blocks.0.attn.conv_proj_v.conv | depthwise convolution | 2x3x24",
                "stages.2.blocks.0.attn.conv_proj_v.bn | batch norm | 2x3x24",
                "stages.2.blocks.0.attn.conv_proj_v.token | class token | 2x3x24 and a class token",
                "stages.2.blocks.0.attn.proj_v | linear | 2x3x24 and a class token",
                "stages.2.blocks.0.attn | global attention | 4x5x24 and a class token",
                "stages.2.blocks.0.attn.proj | linear | 4x5x24 and a class token",
                "stages.2.blocks.0.attn.add | add | 4x5x24 and a class token",
                "stages.2.blocks.0.norm2 | layer norm | 4x5x24 and a class token",
                "stages.2.blocks.0.mlp.fc1 | linear | 4x5x96 and a class token",
                "stages.2.blocks.0.mlp.act | QuickGELU | 4x5x96 and a class token",
                "stages.2.blocks.0.mlp.fc2 | linear | 4x5x24 and a class token",
                "stages.2.blocks.0.mlp.add | add | 4x5x24 and a class token",
            ])
        guard case .globalAttention(let attention) = try graph.node("stages.1.blocks.0.attn").operator else {
            Issue.record("not attention")
            return
        }
        #expect(attention.scale == 0.25 && attention.headDimension == 8)
        #expect(try graph.node("stages.1.blocks.0.attn").multiplyAdds == 2 * 80 * 20 * 16)
    }

    @Test func crossShaped() throws {
        let configuration = smallConfiguration {
            $0.block = .cswin
            $0.numHeads = [2, 2, 2, 1]
        }
        let graph = try Network(configuration).graph(imageSize: ImageSize(square: 224))
        let branches = graph.nodes.compactMap { node -> [CrossShapedAttention.Branch]? in
            guard case .crossShapedAttention(let attention) = node.operator else { return nil }
            return attention.branches
        }
        #expect(
            branches.map { $0.map(\.stripe) } == [
                [.vertical(width: 1), .horizontal(width: 1)], [.vertical(width: 2), .horizontal(width: 2)],
                [.vertical(width: 7), .horizontal(width: 7)], [.map],
            ])
        #expect(branches.map { $0.map(\.heads) } == [[1, 1], [1, 1], [1, 1], [1]])
        #expect(
            branches.last?.map { "\($0.weight.name) \($0.weight.shape) \($0.bias.name) \($0.bias.shape)" }
                == ["stages.3.blocks.0.attn.lepe.0.weight [32, 1, 3, 3] stages.3.blocks.0.attn.lepe.0.bias [32]"])
        #expect(branches[0].map(\.weight.shape) == [[4, 1, 3, 3], [4, 1, 3, 3]])
        // 56·56 tokens of 8 channels, 56 keys each in two products, 9 taps.
        #expect(try graph.node("stages.0.blocks.0.attn").multiplyAdds == 56 * 56 * 8 * (2 * 56 + 9))
    }

    @Test func anOddNumberOfHeadsHasNoHalf() {
        let found = message {
            _ = try Network(
                smallConfiguration {
                    $0.block = .cswin
                    $0.numHeads = [2, 1, 2, 1]
                }, source: "c")
        }
        #expect(
            found == "c: \"num_heads\": expected even numbers in all stages but the last, half for each kind of "
                + "stripe, found [2, 1, 2, 1]")
    }
}
