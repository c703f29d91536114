import CETNetGraph

/// Groups the nodes of a graph into fused layers, in execution order.
///
/// A node joins the layer before it if nothing else reads the value between them. The grouping depends on the
/// architecture alone, never on the image size: it is done once per network, and weights frozen once serve every size.
struct Fusion {
    private let graph: Graph
    /// How many nodes read a value; outputs of the graph count as read once more.
    private var readers: [Int]
    /// The one node that reads a value, where there is only one.
    private var onlyReader: [Int?]
    private var joined: Set<Int> = []
    private var result: [FusedNode] = []
    private var inputs = 0

    static func fuse(_ graph: Graph) -> [FusedNode] {
        var fusion = Fusion(graph)
        fusion.run()
        return fusion.result
    }

    private init(_ graph: Graph) {
        self.graph = graph
        readers = Array(repeating: 0, count: graph.nodes.count)
        onlyReader = Array(repeating: nil, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for input in node.inputs {
                readers[input.index] += 1
                onlyReader[input.index] = index
            }
        }
        for output in graph.outputs { readers[output.value.index] += 1 }
        for index in readers.indices where readers[index] != 1 { onlyReader[index] = nil }
    }

    private mutating func run() {
        for (index, node) in graph.nodes.enumerated() where !joined.contains(index) {
            switch node.operator {
            case .input:
                append(InputLayer(input: inputs), [index])
                inputs += 1
            case .convolution(let convolution) where convolution.isDepthwise:
                appendDepthwise(convolution, at: index)
            case .convolution(let convolution):
                precondition(convolution.groups == 1, "\(node.name): grouped convolutions are not supported")
                appendMatrix(.convolution(convolution), at: index, layerNorm: nil)
            case .linear(let linear):
                appendMatrix(.linear(linear), at: index, layerNorm: nil)
            case .layerNorm(let norm):
                appendLayerNorm(norm, at: index)
            case .windowAttention(let attention):
                appendAttention(WindowAttentionLayer(attention), at: index)
            case .globalAttention(let attention):
                appendAttention(GlobalAttentionLayer(attention: attention), at: index)
            case .crossShapedAttention(let attention):
                appendAttention(StripeAttentionLayer(attention), at: index)
            case .appendClassToken, .positionEmbedding:
                appendStageTokens(layerNorm: nil, from: index)
            case .takeClassToken:
                append(TakeClassTokenLayer(), [index])
            case .carryClassToken:
                preconditionFailure("\(node.name): a class token is carried around a depthwise convolution only")
            case .activation(let activation):
                append(PointwiseLayer(activation: activation), [index])
            case .add:
                appendSum(at: index)
            case .channelScale:
                appendScale(at: index)
            case .patchGathering:
                appendPatchMerging(at: index)
            case .concatenation:
                if let upsampled = upsampledConvolution(of: index) {
                    appendUpsampledConvolution(upsampled, of: index)
                } else {
                    append(ConcatenationLayer(), [index])
                }
            case .channelSlice(let channels):
                append(ChannelSliceLayer(channels: channels), [index])
            case .channelShuffle:
                append(ChannelShuffleLayer(), [index])
            case .meanOverTokens:
                append(MeanLayer(), [index])
            case .adaptiveAveragePooling(let pooling):
                append(AdaptiveAveragePoolingLayer(pooling: pooling), [index])
            case .bilinearResize:
                if let reader = next(index), upsampledConvolution(of: reader) != nil { continue }
                append(BilinearResizeLayer(), [index])
            case .zeroPadding:
                append(ZeroPaddingLayer(), [index])
            case .batchNorm:
                preconditionFailure("\(node.name): a BatchNorm has to follow a convolution")
            }
        }
    }

    /// - Parameters:
    ///   - main: the node that the layer is named after, by default the first.
    ///   - inputs: by default those of the first node.
    private mutating func append(
        _ layer: any Layer, _ nodes: [Int], namedAfter main: Int? = nil, inputs: [ValueID]? = nil,
        residual: ValueID? = nil
    ) {
        joined.formUnion(nodes)
        result.append(
            FusedNode(
                index: result.count, layer: layer, name: graph.nodes[main ?? nodes[0]].name, nodes: nodes,
                inputs: inputs ?? graph.nodes[nodes[0]].inputs, residual: residual,
                output: graph.nodes[nodes.last!].output))
    }

    /// Attention gets its queries scaled, by the projection in front of it.
    private mutating func appendAttention(_ layer: any Layer, at index: Int) {
        let node = graph.nodes[index]
        let projection = result.last { $0.output == node.inputs[0] }?.layer as? MatrixLayer
        precondition(
            projection?.queryScale != nil,
            "\(node.name): queries have to come from a linear layer that nothing else reads")
        append(layer, [index])
    }

    /// The node behind `index` if it is the only one that reads its output.
    private func next(_ index: Int) -> Int? { onlyReader[graph.nodes[index].output.index] }

    /// The BatchNorm behind the last of `nodes`, which it joins.
    private func joinBatchNorm(_ nodes: inout [Int]) -> BatchNorm? {
        guard let reader = next(nodes.last!), case .batchNorm(let norm) = graph.nodes[reader].operator else {
            return nil
        }
        nodes.append(reader)
        return norm
    }

    /// The activation behind the last of `nodes`, which it joins.
    private func joinActivation(_ nodes: inout [Int]) -> Activation? {
        guard let reader = next(nodes.last!), case .activation(let activation) = graph.nodes[reader].operator else {
            return nil
        }
        nodes.append(reader)
        return activation
    }

    /// What the addition behind the last of `nodes`, which it joins, adds to it.
    private func joinResidual(_ nodes: inout [Int], at index: Int) -> ValueID? {
        guard let reader = next(nodes.last!), graph.nodes[reader].operator == .add else { return nil }
        let own = graph.nodes[nodes.last!].output
        // The other operand has to exist when this operator runs.
        guard let other = graph.nodes[reader].inputs.first(where: { $0 != own }), other.index < index else {
            return nil
        }
        nodes.append(reader)
        return other
    }

    private mutating func appendLayerNorm(_ norm: LayerNorm, at index: Int) {
        switch next(index).map({ (reader: $0, operator: graph.nodes[$0].operator) }) {
        case (let reader, .linear(let linear))?:
            joined.insert(index)
            appendMatrix(.linear(linear), at: reader, layerNorm: (norm, index))
        case (let reader, .appendClassToken)?, (let reader, .positionEmbedding)?:
            appendStageTokens(layerNorm: (norm, index), from: reader)
        default:
            append(LayerNormLayer(norm), [index])
        }
    }

    /// A class token and position embeddings, with the LayerNorm in front of them if there is one.
    private mutating func appendStageTokens(layerNorm: (norm: LayerNorm, index: Int)?, from index: Int) {
        var nodes = (layerNorm.map { [$0.index] } ?? []) + [index]
        var layer = StageTokensLayer(layerNorm?.norm)
        if case .appendClassToken(let token) = graph.nodes[index].operator {
            layer.classToken = token
            if let reader = next(index), case .positionEmbedding = graph.nodes[reader].operator { nodes.append(reader) }
        }
        if case .positionEmbedding(let positions) = graph.nodes[nodes.last!].operator { layer.positions = positions }
        append(layer, nodes)
    }

    private mutating func appendDepthwise(_ convolution: Convolution, at index: Int) {
        var layer = DepthwiseLayer(convolution)
        var nodes = [index]
        layer.batchNorm = joinBatchNorm(&nodes)
        layer.activation = joinActivation(&nodes)
        var inputs = graph.nodes[index].inputs
        if let reader = next(nodes.last!), graph.nodes[reader].operator == .carryClassToken {
            inputs.append(graph.nodes[reader].inputs[1])
            nodes.append(reader)
        }
        append(layer, nodes, inputs: inputs)
    }

    private mutating func appendSum(at index: Int) {
        var nodes = [index]
        let activation = joinActivation(&nodes)
        let operands = graph.nodes[index].inputs
        append(PointwiseLayer(activation: activation), nodes, inputs: [operands[0]], residual: operands[1])
    }

    private mutating func appendScale(at index: Int) {
        var nodes = [index]
        let residual = joinResidual(&nodes, at: index)
        let activation = joinActivation(&nodes)
        append(PointwiseLayer(activation: activation), nodes, residual: residual)
    }

    /// Gathering, LayerNorm, linear layer.
    private mutating func appendPatchMerging(at index: Int) {
        let name = graph.nodes[index].name
        guard let normIndex = next(index), case .layerNorm(let norm) = graph.nodes[normIndex].operator,
            let linearIndex = next(normIndex), case .linear(let linear) = graph.nodes[linearIndex].operator
        else { preconditionFailure("\(name): a LayerNorm and a linear layer have to follow") }
        var merging = matrixLayer(.linear(linear), at: linearIndex, layerNorm: (norm, normIndex))
        merging.layer.gathersPatches = true
        append(
            merging.layer, [index] + merging.nodes, namedAfter: linearIndex, residual: merging.residual)
    }

    /// The 3×3 convolution of a concatenation whose maps but one are resized for it alone.
    /// - Parameter index: of the concatenation, or of any other node.
    /// - Returns: the convolution's node, which of the concatenation's inputs is none of those, and the nodes that
    ///   resize the others.
    private func upsampledConvolution(of index: Int) -> (convolution: Int, full: Int, resizes: [Int])? {
        let inputs = graph.nodes[index].inputs
        guard case .concatenation = graph.nodes[index].operator, let reader = next(index),
            case .convolution(let convolution) = graph.nodes[reader].operator, WinogradLayer.fits(convolution)
        else { return nil }
        let isResized = inputs.map { input in
            guard case .bilinearResize = graph.nodes[input.index].operator else { return false }
            return onlyReader[input.index] == index
        }
        guard inputs.count > 1, isResized.filter({ !$0 }).count == 1 else { return nil }
        return (reader, isResized.firstIndex(of: false)!, zip(inputs, isResized).filter(\.1).map(\.0.index))
    }

    /// Resizing, concatenation, convolution.
    private mutating func appendUpsampledConvolution(
        _ upsampled: (convolution: Int, full: Int, resizes: [Int]), of index: Int
    ) {
        guard case .convolution(let convolution) = graph.nodes[upsampled.convolution].operator else { return }
        let matrix = matrixLayer(
            .convolution(convolution), at: upsampled.convolution, layerNorm: nil, joinsResidual: false)
        var ranges: [Range<Int>] = []
        for shape in graph.nodes[index].inputShapes {
            let first = ranges.last?.upperBound ?? 0
            ranges.append(first..<first + shape.channels)
        }
        let full = ranges.remove(at: upsampled.full)
        append(
            UpsampledConvolutionLayer(matrix.layer, full: full, resized: ranges),
            upsampled.resizes + [index] + matrix.nodes, namedAfter: upsampled.convolution,
            inputs: [graph.nodes[index].inputs[upsampled.full]] + upsampled.resizes.map { graph.nodes[$0].inputs[0] })
    }

    /// A matrix layer with all that may join behind it: BatchNorm, activation, residual, or residual, activation.
    private func matrixLayer(
        _ kind: MatrixLayer.Kind, at index: Int, layerNorm: (norm: LayerNorm, index: Int)?, joinsResidual: Bool = true
    ) -> (layer: MatrixLayer, nodes: [Int], residual: ValueID?) {
        var layer = MatrixLayer(kind)
        layer.layerNorm = layerNorm?.norm
        var nodes = (layerNorm.map { [$0.index] } ?? []) + [index]
        layer.batchNorm = joinBatchNorm(&nodes)
        layer.activation = joinActivation(&nodes)
        let residual = joinsResidual ? joinResidual(&nodes, at: index) : nil
        if residual != nil, layer.activation == nil {
            layer.activation = joinActivation(&nodes)
            layer.residualFirst = layer.activation != nil
        }
        layer.queryScale = next(nodes.last!).flatMap { queryScale(of: graph.nodes[nodes.last!].output, in: $0) }
        return (layer, nodes, residual)
    }

    /// How many of a value's first channels are the queries of the attention that reads it, and what these are
    /// multiplied by.
    private func queryScale(of value: ValueID, in reader: Int) -> (channels: Int, factor: Float)? {
        switch graph.nodes[reader].operator {
        case .windowAttention(let attention):
            (attention.channels, 1 / Float(attention.headDimension).squareRoot())
        case .crossShapedAttention(let attention):
            (attention.channels, 1 / Float(attention.headDimension).squareRoot())
        case .globalAttention(let attention) where graph.nodes[reader].inputs[0] == value:
            (attention.channels, attention.scale)
        default: nil
        }
    }

    private mutating func appendMatrix(
        _ kind: MatrixLayer.Kind, at index: Int, layerNorm: (LayerNorm, Int)?
    ) {
        let first = matrixLayer(kind, at: index, layerNorm: layerNorm)
        // Backbones keep the direct sum, and with it the bits of their results.
        if case .convolution(let convolution) = kind, graph.nodes[index].part == .head, WinogradLayer.fits(convolution)
        {
            append(
                WinogradLayer(first.layer, channels: convolution.inputChannels), first.nodes,
                residual: first.residual)
            return
        }
        // LayerNorm, linear, activation, linear, residual: one pass over each block of tokens.
        if layerNorm != nil, first.layer.activation != nil, first.residual == nil, first.layer.queryScale == nil,
            let reader = next(first.nodes.last!), case .linear(let linear) = graph.nodes[reader].operator
        {
            let second = matrixLayer(.linear(linear), at: reader, layerNorm: nil)
            let input = graph.nodes[first.nodes[0]].inputs[0]
            if second.layer.activation == nil, second.residual == input {
                append(
                    MLPLayer(
                        first: first.layer, second: second.layer, secondName: graph.nodes[reader].name,
                        firstNodes: first.nodes.count),
                    first.nodes + second.nodes, namedAfter: index, residual: second.residual)
                return
            }
        }
        append(first.layer, first.nodes, namedAfter: index, residual: first.residual)
    }
}
