import CETNetGraph
import CETNetKernels

/// A two-layer perceptron on each token: `x + fc2(activation(fc1(LayerNorm(x))))`, `x` being input and residual.
struct MLPLayer: Layer {
    var first: MatrixLayer
    var second: MatrixLayer
    /// Name of the second layer.
    let secondName: String
    /// How many of the node's operators the first layer computes.
    let firstNodes: Int

    mutating func reserve(in freezer: inout Freezer) {
        first.reserve(in: &freezer)
        second.reserve(in: &freezer)
    }

    /// One step, or two where there are too few tokens for one.
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (fc1, fc2) = (first.weights(in: builder), second.weights(in: builder))
        let input = builder.slot(of: node.input)
        let replaced = fc1.matrix.format.canReplaceResidual ? node.residual : nil
        let hiddenBytes = fc1.matrix.columns * MemoryLayout<Float>.stride
        if let rows = Partition(
            tokens: input.shape.tokens, hiddenBytes: hiddenBytes, threads: builder.matrixThreads,
            kernels: builder.kernels)
        {
            let output = builder.output(of: node, replacing: replaced)
            let (activation, epsilon) = (first.activation, first.layerNorm!.epsilon)
            builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
                MLPStep(
                    first: fc1.matrix, firstWeights: fc1.storage, second: fc2.matrix, secondWeights: fc2.storage,
                    activation: activation, epsilon: epsilon, input: $0(input), output: $0(output), rows: rows)
            }
            return
        }
        let hidden = builder.newBuffer(
            input.shape.with(channels: fc1.matrix.columns), stride: Rows.paddedStride(fc1.matrix.columns))
        first.draft(
            node.name, nodes: Array(node.nodes[..<firstNodes]), input: input, residual: nil, output: { _ in hidden },
            in: &builder)
        second.draft(
            secondName, nodes: Array(node.nodes[firstNodes...]), input: hidden, residual: input,
            output: { $0.output(of: node, replacing: replaced) }, in: &builder)
    }
}

/// The perceptron of a transformer block as one pass over each block of tokens: the hidden activations, four times as
/// wide as the tokens, never leave the second-level cache.
struct MLPStep: Step {
    let first: PackedMatrix
    let firstWeights: Weights
    let second: PackedMatrix
    let secondWeights: Weights
    let activation: Activation?
    let epsilon: Float
    let input: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    private var normalisedStride: Int { Rows.paddedStride(first.depth) }
    private var hiddenStride: Int { Rows.paddedStride(first.columns) }

    var scratchBytes: Int { rows.largest * (normalisedStride + hiddenStride) * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let tokens = rows[task]
        let x = input.rows(context, from: tokens.lowerBound)
        let y = output.rows(context, from: tokens.lowerBound)
        let normalised = Rows(context.scratchFloats, stride: normalisedStride)
        let hidden = Rows(context.scratchFloats + rows.largest * normalisedStride, stride: hiddenStride)
        context.kernels.layerNorm(
            x, rows: tokens.count, channels: first.depth, epsilon: epsilon, weight: nil, bias: nil, into: normalised)
        first.multiply(
            normalised, rows: tokens.count, by: firstWeights.address, PackedMatrix.Epilogue(activation: activation),
            into: hidden, kernels: context.kernels)
        second.multiply(
            hidden, rows: tokens.count, by: secondWeights.address, PackedMatrix.Epilogue(residual: x), into: y,
            kernels: context.kernels)
    }
}
