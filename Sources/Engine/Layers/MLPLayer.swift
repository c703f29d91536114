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

    var matrices: [MatrixLayer] { [first, second] }

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
                    first: Operand(epsilon: epsilon, matrix: fc1.matrix), firstWeights: fc1.storage,
                    second: Operand(matrix: fc2.matrix), secondWeights: fc2.storage, activation: activation,
                    input: $0(input), output: $0(output), rows: rows)
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
    let first: Operand
    let firstWeights: Weights
    let second: Operand
    let secondWeights: Weights
    let activation: Activation?
    let input: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    private var hiddenStride: Int { Rows.paddedStride(first.matrix.columns) }
    /// Words for the operand of either layer.
    private var operandWords: Int {
        max(first.scratchWords(rows: rows.largest), second.scratchWords(rows: rows.largest))
    }

    var scratchBytes: Int { (operandWords + rows.largest * hiddenStride) * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let (tokens, kernels) = (rows[task], context.kernels)
        let hidden = Rows(context.scratchFloats + operandWords, stride: hiddenStride)
        let normalised = first.load(
            input.rows(context), rows: tokens, scratch: context.scratchFloats, kernels: kernels)
        first.matrix.multiply(
            normalised, rows: tokens.count, by: firstWeights.address, PackedMatrix.Epilogue(activation: activation),
            into: hidden, kernels: kernels)
        let activated = second.load(
            hidden, rows: 0..<tokens.count, scratch: context.scratchFloats, kernels: kernels)
        second.matrix.multiply(
            activated, rows: tokens.count, by: secondWeights.address,
            PackedMatrix.Epilogue(residual: input.rows(context, from: tokens.lowerBound)),
            into: output.rows(context, from: tokens.lowerBound), kernels: kernels)
    }
}
