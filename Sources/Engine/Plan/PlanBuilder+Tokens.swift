import CETNetGraph
import CETNetOperators

extension PlanBuilder {
    mutating func draftStageTokens(_ layer: StageTokensLayer, _ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        let weights = network.weights.stageTokens[layer.name]!
        let (input, output) = (slot(of: node.input), outputSlot(node, index: index))
        let table = layer.positions.map {
            PositionTable($0, trained: weights.positions!, size: output.shape.size)
        }
        append(layer.name, nodes: node.nodes, uses: [input, output]) {
            StageTokensStep(
                weights: weights, epsilon: layer.layerNorm?.epsilon ?? 0, positions: table, input: $0(input),
                output: $0(output), kernels: kernels, threads: threads)
        }
    }

    /// Packing of keys and values, unless OpenBLAS takes them as they are; then attention.
    mutating func draftGlobalAttention(_ attention: GlobalAttention, name: String, _ node: FusedNode, index: Int) {
        let (kernels, threads) = (network.kernels, threads)
        let (queries, keys, values) = (
            slot(of: node.inputs[0]), slot(of: node.inputs[1]), slot(of: node.inputs.last!)
        )
        // Packed into one value, the values' channels follow the keys'.
        let valuesOffset = node.inputs.count == 2 ? attention.channels : 0
        var packed: Slot?
        if network.layout == .panels {
            let count = GlobalAttentionHead.packedCount(
                keys: keys.shape.tokens, headDimension: attention.headDimension, kernels: kernels)
            let buffer = newBuffer(TensorShape(height: 1, width: attention.heads, channels: count))
            append(name + " (packing)", nodes: [], uses: [keys, values, buffer]) {
                PackKeysStep(
                    attention: attention, keys: HeadChannels(location: $0(keys), offset: 0),
                    values: HeadChannels(location: $0(values), offset: valuesOffset), packed: $0(buffer),
                    kernels: kernels, threads: threads)
            }
            packed = buffer
        }
        // A task reads the queries that its results replace, and no others.
        let output = outputSlot(node, index: index, replacing: node.input)
        append(name, nodes: node.nodes, uses: [queries, keys, values, output] + (packed.map { [$0] } ?? [])) {
            GlobalAttentionStep(
                attention: attention, queries: $0(queries), keys: HeadChannels(location: $0(keys), offset: 0),
                values: HeadChannels(location: $0(values), offset: valuesOffset), packed: packed.map($0),
                output: $0(output), kernels: kernels, threads: threads)
        }
    }
}
