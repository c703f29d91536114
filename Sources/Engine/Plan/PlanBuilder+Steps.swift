import CETNetGraph
import CETNetOperators

extension PlanBuilder {
    /// Drafts the steps of a fused node, most often one.
    mutating func draft(_ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        switch node.operation {
        case .image:
            let output = outputSlot(node, index: index)
            append("image", nodes: node.nodes, uses: [output]) { ImageStep(output: $0(output), threads: threads) }
        case .matrix(let layer):
            draftMatrix(layer, node, index: index)
        case .mlp(let layer):
            draftMLP(layer, node, index: index)
        case .depthwise(let layer):
            let weights = network.weights.depthwise[layer.name]!
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            let geometry = geometry(layer.convolution, input: node.input, output: node.output)
            let token = node.inputs.count > 1 ? slot(of: node.inputs[1]) : nil
            append(layer.name, nodes: node.nodes, uses: [input, output] + (token.map { [$0] } ?? [])) {
                DepthwiseStep(
                    weights: weights, geometry: geometry, activation: ActivationKind(layer.activation),
                    input: $0(input), output: $0(output), classToken: token.map($0), kernels: kernels,
                    threads: threads)
            }
        case .layerNorm(let norm, let name):
            let weights = network.weights.norms[name]!
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            append(name, nodes: node.nodes, uses: [input, output]) {
                LayerNormStep(
                    weights: weights, epsilon: norm.epsilon, input: $0(input), output: $0(output), kernels: kernels,
                    threads: threads)
            }
        case .windowAttention(let attention, let name):
            let weights = network.weights.attentions[name]!
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            let layout = network.layout
            append(name, nodes: node.nodes, uses: [input, output]) {
                WindowAttentionStep(
                    attention: attention, weights: weights, layout: layout, input: $0(input), output: $0(output),
                    kernels: kernels)
            }
        case .stageTokens(let layer):
            draftStageTokens(layer, node, index: index)
        case .takeClassToken:
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            append(graph.nodes[node.nodes[0]].name, nodes: node.nodes, uses: [input, output]) {
                TakeClassTokenStep(input: $0(input), output: $0(output))
            }
        case .globalAttention(let attention, let name):
            draftGlobalAttention(attention, name: name, node, index: index)
        case .crossShapedAttention(let attention, let name):
            let weights = network.weights.stripes[name]!
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            let layout = network.layout
            append(name, nodes: node.nodes, uses: [input, output]) {
                StripeAttentionStep(
                    attention: attention, weights: weights, layout: layout, input: $0(input), output: $0(output),
                    kernels: kernels)
            }
        case .pointwise(let activation):
            draftPointwise(ActivationKind(activation), node, index: index)
        case .meanOverTokens:
            let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
            append(graph.nodes[node.nodes[0]].name, nodes: node.nodes, uses: [input, output]) {
                MeanStep(input: $0(input), output: $0(output), kernels: kernels, threads: threads)
            }
        case .concatenation:
            draftCopies(node)
        case .channelSlice:
            break
        case .channelShuffle:
            let (first, second) = (slot(of: node.inputs[0]), slot(of: node.inputs[1]))
            let output = outputSlot(node, index: index)
            append(graph.nodes[node.nodes[0]].name, nodes: node.nodes, uses: [first, second, output]) {
                ChannelShuffleStep(
                    first: $0(first), second: $0(second), output: $0(output), kernels: kernels, threads: threads)
            }
        }
    }

    private mutating func draftPointwise(_ activation: ActivationKind, _ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        let input = slot(of: node.input)
        let scale = node.inputs.count > 1 ? slot(of: node.inputs[1]) : nil
        let residual = node.residual.map { slot(of: $0) }
        let replacing = [node.input, node.residual].compactMap { $0 }
            .first { placement.canReplace($0, with: node, at: index) }
        let output = outputSlot(node, index: index, replacing: replacing)
        append(
            graph.nodes[node.nodes[0]].name, nodes: node.nodes,
            uses: [input, output] + [scale, residual].compactMap { $0 }
        ) {
            PointwiseStep(
                activation: activation, input: $0(input), scale: scale.map($0), residual: residual.map($0),
                output: $0(output), kernels: kernels, threads: threads)
        }
    }

    /// Copies those inputs of a concatenation that are not computed where they have to be in it.
    private mutating func draftCopies(_ node: FusedNode) {
        let (kernels, threads) = (network.kernels, threads)
        let whole = slot(of: node.output)
        var channel = whole.channel
        var copies: [(from: Slot, to: Slot)] = []
        for value in node.inputs {
            let input = slot(of: value)
            let place = Slot(buffer: whole.buffer, channel: channel, shape: input.shape)
            if (input.buffer, input.channel) != (place.buffer, place.channel) { copies.append((input, place)) }
            channel += input.shape.channels
        }
        for (index, copy) in copies.enumerated() {
            append(
                graph.nodes[node.nodes[0]].name, nodes: index == copies.count - 1 ? node.nodes : [],
                uses: [copy.from, copy.to]
            ) {
                PointwiseStep(
                    activation: .none, input: $0(copy.from), scale: nil, residual: nil, output: $0(copy.to),
                    kernels: kernels, threads: threads)
            }
        }
    }

    private mutating func draftMatrix(_ layer: MatrixLayer, _ node: FusedNode, index: Int) {
        let (kernels, cutThreads) = (network.kernels, cutThreads)
        let weights = network.weights.matrices[layer.name]!
        let input = slot(of: node.input)
        let residual = node.residual.map { slot(of: $0) }
        let operand = operand(layer, node)
        // A task reads more of its input than it writes, unless the input's tokens are used as they are.
        let inPlace =
            weights.layout == .panels && node.residual.map { !placement.share($0, node.input) } ?? false
        let output = outputSlot(node, index: index, replacing: inPlace ? node.residual : nil)
        append(layer.name, nodes: node.nodes, uses: [input, output] + (residual.map { [$0] } ?? [])) {
            MatrixStep(
                weights: weights, operand: operand, input: $0(input), output: $0(output), residual: residual.map($0),
                residualFirst: layer.residualFirst, activation: ActivationKind(layer.activation), kernels: kernels,
                threads: cutThreads)
        }
    }

    private func operand(_ layer: MatrixLayer, _ node: FusedNode) -> MatrixStep.Operand {
        switch layer.kind {
        case .linear where layer.gathersPatches:
            let (from, to) = (graph.shape(of: node.input), graph.shape(of: node.output))
            let patches = ConvolutionGeometry(
                inputHeight: from.height, inputWidth: from.width, channels: from.channels, kernel: 2, stride: 2,
                padding: 0, outputHeight: to.height, outputWidth: to.width)
            return .normalisedFields(patches, epsilon: layer.layerNorm!.epsilon)
        case .linear:
            return layer.layerNorm.map { .normalised(epsilon: $0.epsilon) } ?? .tokens
        case .convolution(let convolution):
            return convolution.isPointwise
                ? .tokens : .im2col(geometry(convolution, input: node.input, output: node.output))
        }
    }

    private mutating func draftMLP(_ layer: MLPLayer, _ node: FusedNode, index: Int) {
        let (kernels, cutThreads) = (network.kernels, cutThreads)
        let first = network.weights.matrices[layer.first.name]!
        let second = network.weights.matrices[layer.second.name]!
        let activation = ActivationKind(layer.first.activation)
        let epsilon = layer.first.layerNorm!.epsilon
        let shape = graph.shape(of: node.output)
        let input = slot(of: node.input)
        let replacing = first.layout == .panels ? node.residual : nil
        if let rows = MLPStep.partition(
            tokens: shape.tokens, hidden: first.columns, threads: cutThreads, kernels: kernels)
        {
            let output = outputSlot(node, index: index, replacing: replacing)
            append(layer.first.name, nodes: node.nodes, uses: [input, output]) {
                MLPStep(
                    first: first, second: second, activation: activation, epsilon: epsilon, input: $0(input),
                    output: $0(output), rows: rows, kernels: kernels)
            }
            return
        }
        // The hidden tokens' rows are a cache line longer than they need to be; see MatrixStep.
        let hidden = newBuffer(shape.with(channels: first.columns), stride: (first.columns + 15) / 16 * 16 + 16)
        let split = node.nodes.firstIndex { graph.nodes[$0].name == layer.second.name }!
        append(layer.first.name, nodes: Array(node.nodes[..<split]), uses: [input, hidden]) {
            MatrixStep(
                weights: first, operand: .normalised(epsilon: epsilon), input: $0(input), output: $0(hidden),
                residual: nil, activation: activation, kernels: kernels, threads: cutThreads)
        }
        let output = outputSlot(node, index: index, replacing: replacing)
        append(layer.second.name, nodes: Array(node.nodes[split...]), uses: [hidden, input, output]) {
            MatrixStep(
                weights: second, operand: .tokens, input: $0(hidden), output: $0(output), residual: $0(input),
                activation: .none, kernels: kernels, threads: cutThreads)
        }
    }

    private func geometry(_ convolution: Convolution, input: ValueID, output: ValueID) -> ConvolutionGeometry {
        let (from, to) = (graph.shape(of: input), graph.shape(of: output))
        return ConvolutionGeometry(
            inputHeight: from.height, inputWidth: from.width, channels: from.channels, kernel: convolution.kernel,
            stride: convolution.stride, padding: convolution.padding, outputHeight: to.height, outputWidth: to.width)
    }
}

extension ActivationKind {
    init(_ activation: Activation?) {
        switch activation {
        case nil: self = .none
        case .gelu: self = .gelu
        case .quickGELU: self = .quickGELU
        case .relu: self = .relu
        case .sigmoid: self = .sigmoid
        }
    }
}
