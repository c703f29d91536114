import CETNetGraph
import CETNetOperators

/// A network at one image size for a number of threads: steps in order, and a place for every value.
struct Plan: Sendable {
    /// A step with what reports say about it.
    struct Entry: Sendable {
        let step: any Step
        /// Indices of the graph's nodes that it computes; empty for copies at the ends.
        let nodes: [Int]
        let name: String
    }

    let graph: Graph
    let entries: [Entry]
    /// Floats that the activations of one image take.
    let arenaCount: Int
    /// Floats of scratch that each worker needs.
    let scratchCount: Int
    /// Shapes of the stage outputs.
    let featureShapes: [TensorShape]
}

/// Lowers a graph to a plan.
///
/// The first pass drafts the steps and notes which buffers they read and write; then the buffers are laid out, and
/// each draft becomes a step that knows its addresses.
struct PlanBuilder {
    private struct Draft {
        let name: String
        let nodes: [Int]
        let make: ((Int) -> Location) -> any Step
    }

    private struct BufferShape {
        let shape: TensorShape
        let stride: Int
    }

    private let network: FrozenNetwork
    private let graph: Graph
    private let threads: Int
    /// Threads that matrix products are cut for. OpenBLAS may round differently for another number of rows, so there
    /// the cut must be the same for any number of threads.
    private let cutThreads: Int
    private var drafts: [Draft] = []
    private var buffers: [ArenaLayout.Buffer] = []
    private var bufferShapes: [BufferShape] = []
    /// Buffer of each value that exists so far.
    private var bufferOf: [Int: Int] = [:]
    /// Index of the last fused node that reads a value.
    private var lastReader: [Int: Int] = [:]

    static func build(_ network: FrozenNetwork, size: ImageSize, threads: Int) -> Plan {
        var builder = PlanBuilder(network, graph: network.graph(size: size), threads: threads)
        return builder.build()
    }

    private init(_ network: FrozenNetwork, graph: Graph, threads: Int) {
        self.network = network
        self.graph = graph
        self.threads = threads
        cutThreads = network.layout == .rowMajor ? 4 : threads
    }

    private mutating func build() -> Plan {
        let nodes = Fusion.fuse(graph)
        for (index, node) in nodes.enumerated() {
            for value in [node.input, node.residual] + node.others { if let value { lastReader[value.index] = index } }
        }
        for (index, node) in nodes.enumerated() {
            draft(node, index: index)
            if let stage = graph.features.firstIndex(of: node.output) { draftFeature(node.output, stage: stage) }
        }
        let logits = bufferOf[graph.logits.index]!
        append("logits", nodes: [], reads: [logits]) { LogitsStep(input: $0(logits)) }

        let layout = ArenaLayout(buffers)
        let shapes = bufferShapes
        let entries = drafts.map { draft in
            Plan.Entry(
                step: draft.make {
                    Location(offset: layout.offsets[$0], shape: shapes[$0].shape, stride: shapes[$0].stride)
                }, nodes: draft.nodes, name: draft.name)
        }
        return Plan(
            graph: graph, entries: entries, arenaCount: layout.count,
            scratchCount: entries.map(\.step.scratchCount).max() ?? 0,
            featureShapes: graph.features.map { graph.shape(of: $0).map })
    }

    // MARK: Buffers

    private mutating func newBuffer(_ shape: TensorShape, stride: Int? = nil) -> Int {
        let stride = stride ?? shape.channels
        buffers.append(
            ArenaLayout.Buffer(count: shape.tokens * stride, firstStep: drafts.count, lastStep: drafts.count))
        bufferShapes.append(BufferShape(shape: shape, stride: stride))
        return buffers.count - 1
    }

    /// The buffer for a node's output: the residual's own if nothing reads that afterwards, so that the sum replaces
    /// it in the cache, else a new one.
    private mutating func outputBuffer(_ node: FusedNode, index: Int, inPlace: Bool) -> Int {
        let buffer: Int
        if inPlace, let residual = node.residual, lastReader[residual.index] == index,
            !graph.features.contains(residual)
        {
            buffer = bufferOf[residual.index]!
        } else {
            buffer = newBuffer(graph.shape(of: node.output))
        }
        bufferOf[node.output.index] = buffer
        return buffer
    }

    private mutating func append(
        _ name: String, nodes: [Int], reads: [Int], make: @escaping ((Int) -> Location) -> any Step
    ) {
        for buffer in reads { buffers[buffer].lastStep = drafts.count }
        drafts.append(Draft(name: name, nodes: nodes, make: make))
    }

    // MARK: Steps

    private mutating func draftFeature(_ value: ValueID, stage: Int) {
        let buffer = bufferOf[value.index]!
        append("feature map of stage \(stage + 1)", nodes: [], reads: [buffer]) {
            FeatureStep(input: $0(buffer), stage: stage)
        }
    }

    private mutating func draft(_ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        let input = node.input.map { bufferOf[$0.index]! }
        switch node.operation {
        case .image:
            let output = outputBuffer(node, index: index, inPlace: false)
            append("image", nodes: node.nodes, reads: [output]) { ImageStep(output: $0(output), threads: threads) }
        case .matrix(let layer):
            draftMatrix(layer, node, index: index)
        case .mlp(let layer):
            draftMLP(layer, node, index: index)
        case .depthwise(let layer):
            let weights = network.weights.depthwise[layer.name]!
            let output = outputBuffer(node, index: index, inPlace: false)
            let geometry = geometry(layer.convolution, input: node.input!, output: node.output)
            let token = node.others.first.map { bufferOf[$0.index]! }
            append(layer.name, nodes: node.nodes, reads: [input!, output] + (token.map { [$0] } ?? [])) {
                DepthwiseStep(
                    weights: weights, geometry: geometry, activation: ActivationKind(layer.activation),
                    input: $0(input!), output: $0(output), classToken: token.map($0), kernels: kernels,
                    threads: threads)
            }
        case .stageTokens(let layer):
            draftStageTokens(layer, node, index: index)
        case .globalAttention(let attention, let name):
            draftGlobalAttention(attention, name: name, node, index: index)
        case .crossShapedAttention(let attention, let name):
            let weights = network.weights.stripes[name]!
            let output = outputBuffer(node, index: index, inPlace: false)
            let layout = network.layout
            append(name, nodes: node.nodes, reads: [input!, output]) {
                StripeAttentionStep(
                    attention: attention, weights: weights, layout: layout, input: $0(input!), output: $0(output),
                    kernels: kernels)
            }
        case .takeClassToken:
            let output = outputBuffer(node, index: index, inPlace: false)
            append(graph.nodes[node.nodes[0]].name, nodes: node.nodes, reads: [input!, output]) {
                TakeClassTokenStep(input: $0(input!), output: $0(output))
            }
        case .layerNorm(let norm, let name):
            let weights = network.weights.norms[name]!
            let output = outputBuffer(node, index: index, inPlace: false)
            append(name, nodes: node.nodes, reads: [input!, output]) {
                LayerNormStep(
                    weights: weights, epsilon: norm.epsilon, input: $0(input!), output: $0(output), kernels: kernels,
                    threads: threads)
            }
        case .windowAttention(let attention, let name):
            let weights = network.weights.attentions[name]!
            let output = outputBuffer(node, index: index, inPlace: false)
            let layout = network.layout
            append(name, nodes: node.nodes, reads: [input!, output]) {
                WindowAttentionStep(
                    attention: attention, weights: weights, layout: layout, input: $0(input!), output: $0(output),
                    kernels: kernels)
            }
        case .activation(let activation):
            draftPointwise(ActivationKind(activation), node, index: index)
        case .add:
            draftPointwise(.none, node, index: index)
        case .meanOverTokens:
            let output = outputBuffer(node, index: index, inPlace: false)
            append("mean", nodes: node.nodes, reads: [input!, output]) {
                MeanStep(input: $0(input!), output: $0(output), kernels: kernels)
            }
        }
    }

    private mutating func draftStageTokens(_ layer: StageTokensLayer, _ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        let weights = network.weights.stageTokens[layer.name]!
        let input = bufferOf[node.input!.index]!
        let output = outputBuffer(node, index: index, inPlace: false)
        let table = layer.positions.map {
            PositionTable($0, trained: weights.positions!, size: graph.shape(of: node.output).size)
        }
        append(layer.name, nodes: node.nodes, reads: [input, output]) {
            StageTokensStep(
                weights: weights, epsilon: layer.layerNorm?.epsilon ?? 0, positions: table, input: $0(input),
                output: $0(output), kernels: kernels, threads: threads)
        }
    }

    /// Packing of keys and values, unless OpenBLAS takes them as they are; then attention.
    private mutating func draftGlobalAttention(
        _ attention: GlobalAttention, name: String, _ node: FusedNode, index: Int
    ) {
        let (kernels, threads) = (network.kernels, threads)
        let queries = bufferOf[node.input!.index]!
        let keys = bufferOf[node.others[0].index]!
        let values = bufferOf[node.others.last!.index]!
        let valuesOffset = node.others.count == 1 ? attention.channels : 0
        let count = graph.shape(of: node.others[0]).tokens
        var packed: Int?
        if network.layout == .panels {
            let perHead = GlobalAttentionHead.packedCount(
                keys: count, headDimension: attention.headDimension, kernels: kernels)
            let buffer = newBuffer(TensorShape(height: 1, width: attention.heads, channels: perHead))
            append(name + " (packing)", nodes: [], reads: [keys, values, buffer]) {
                PackKeysStep(
                    attention: attention, keys: HeadChannels(location: $0(keys), offset: 0),
                    values: HeadChannels(location: $0(values), offset: valuesOffset), packed: $0(buffer),
                    kernels: kernels, threads: threads)
            }
            packed = buffer
        }
        // Results take the places of the queries, which nothing else reads.
        let output = queries
        bufferOf[node.output.index] = output
        append(name, nodes: node.nodes, reads: [queries, keys, values] + (packed.map { [$0] } ?? [])) {
            GlobalAttentionStep(
                attention: attention, queries: $0(queries), keys: HeadChannels(location: $0(keys), offset: 0),
                values: HeadChannels(location: $0(values), offset: valuesOffset), packed: packed.map($0),
                output: $0(output), kernels: kernels, threads: threads)
        }
    }

    private mutating func draftPointwise(_ activation: ActivationKind, _ node: FusedNode, index: Int) {
        let kernels = network.kernels
        let input = bufferOf[node.input!.index]!
        let residual = node.residual.map { bufferOf[$0.index]! }
        let output = outputBuffer(node, index: index, inPlace: false)
        append(graph.nodes[node.nodes[0]].name, nodes: node.nodes, reads: [input, output] + (residual.map { [$0] } ?? []))
        {
            PointwiseStep(
                activation: activation, input: $0(input), residual: residual.map($0), output: $0(output),
                kernels: kernels)
        }
    }

    private mutating func draftMatrix(_ layer: MatrixLayer, _ node: FusedNode, index: Int) {
        let (kernels, cutThreads) = (network.kernels, cutThreads)
        let weights = network.weights.matrices[layer.name]!
        let input = bufferOf[node.input!.index]!
        let residual = node.residual.map { bufferOf[$0.index]! }
        let operand: MatrixStep.Operand
        switch layer.kind {
        case .linear:
            operand = layer.layerNorm.map { .normalised(epsilon: $0.epsilon) } ?? .tokens
        case .convolution(let convolution):
            operand =
                convolution.isPointwise
                ? .tokens : .im2col(geometry(convolution, input: node.input!, output: node.output))
        }
        // A task reads more of its input than it writes, unless the input's tokens are used as they are.
        let inPlace = weights.layout == .panels && node.residual != node.input
        let output = outputBuffer(node, index: index, inPlace: inPlace)
        append(layer.name, nodes: node.nodes, reads: [input, output] + (residual.map { [$0] } ?? [])) {
            MatrixStep(
                weights: weights, operand: operand, input: $0(input), output: $0(output), residual: residual.map($0),
                activation: ActivationKind(layer.activation), kernels: kernels, threads: cutThreads)
        }
    }

    private mutating func draftMLP(_ layer: MLPLayer, _ node: FusedNode, index: Int) {
        let (kernels, cutThreads) = (network.kernels, cutThreads)
        let first = network.weights.matrices[layer.first.name]!
        let second = network.weights.matrices[layer.second.name]!
        let activation = ActivationKind(layer.first.activation)
        let epsilon = layer.first.layerNorm!.epsilon
        let shape = graph.shape(of: node.output)
        let input = bufferOf[node.input!.index]!
        let inPlace = first.layout == .panels
        if let rows = MLPStep.partition(
            tokens: shape.tokens, hidden: first.columns, threads: cutThreads, kernels: kernels)
        {
            let output = outputBuffer(node, index: index, inPlace: inPlace)
            append(layer.first.name, nodes: node.nodes, reads: [input, output]) {
                MLPStep(
                    first: first, second: second, activation: activation, epsilon: epsilon, input: $0(input),
                    output: $0(output), rows: rows, kernels: kernels)
            }
            return
        }
        // The hidden tokens' rows are a cache line longer than they need to be; see MatrixStep.
        let hidden = newBuffer(
            TensorShape(height: shape.height, width: shape.width, channels: first.columns),
            stride: (first.columns + 15) / 16 * 16 + 16)
        let split = node.nodes.firstIndex { graph.nodes[$0].name == layer.second.name }!
        append(layer.first.name, nodes: Array(node.nodes[..<split]), reads: [input, hidden]) {
            MatrixStep(
                weights: first, operand: .normalised(epsilon: epsilon), input: $0(input), output: $0(hidden),
                residual: nil, activation: activation, kernels: kernels, threads: cutThreads)
        }
        let output = outputBuffer(node, index: index, inPlace: inPlace)
        append(layer.second.name, nodes: Array(node.nodes[split...]), reads: [hidden, input, output]) {
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
        }
    }
}
