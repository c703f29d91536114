import CETNetGraph

/// A LayerNorm that stands alone.
struct LayerNormLayer: Layer {
    let norm: LayerNorm
    private var weight = WeightRegion(), bias = WeightRegion()

    init(_ norm: LayerNorm) { self.norm = norm }

    mutating func reserve(in freezer: inout Freezer) {
        weight = freezer.reserve(norm.weight)
        bias = freezer.reserve(norm.bias)
    }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let (weights, epsilon) = (weights(in: builder), norm.epsilon)
        let rows = Partition(count: input.shape.tokens, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            LayerNormStep(weights: weights, epsilon: epsilon, input: $0(input), output: $0(output), rows: rows)
        }
    }

    /// Scale and shift, for layers that normalise on the way to something else.
    func weights(in builder: PlanBuilder) -> (scale: Weights, shift: Weights) {
        (builder.weights(weight), builder.weights(bias))
    }
}

/// Some tokens of a LayerNorm per task.
struct LayerNormStep: Step {
    let weights: (scale: Weights, shift: Weights)
    let epsilon: Float
    let input: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = rows[task].lowerBound
        context.kernels.layerNorm(
            input.rows(context, from: first), rows: rows[task].count, channels: input.shape.channels,
            epsilon: epsilon, weight: weights.scale.floats, bias: weights.shift.floats,
            into: output.rows(context, from: first))
    }
}
