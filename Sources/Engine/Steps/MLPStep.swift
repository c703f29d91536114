import CETNetGraph
import CETNetOperators

/// The perceptron of a transformer block, `x + fc2(activation(fc1(LayerNorm(x))))`, as one pass over each block of
/// tokens: the hidden activations, four times as wide as the tokens, never leave the second-level cache.
struct MLPStep: Step {
    let first: MatrixWeights
    let second: MatrixWeights
    let activation: ActivationKind
    let epsilon: Float
    let input: Location
    let output: Location
    let kernels: KernelSet
    let rows: Partition

    init(
        first: MatrixWeights, second: MatrixWeights, activation: ActivationKind, epsilon: Float, input: Location,
        output: Location, rows: Partition, kernels: KernelSet
    ) {
        self.first = first
        self.second = second
        self.activation = activation
        self.epsilon = epsilon
        self.input = input
        self.output = output
        self.rows = rows
        self.kernels = kernels
    }

    /// How tokens are cut: hidden rows of a task fit into the second-level cache, and every thread has work. `nil` if
    /// there are too few tokens for that, so that the two layers had better be separate steps cut by columns.
    static func partition(tokens: Int, hidden: Int, threads: Int, kernels: KernelSet) -> Partition? {
        // 448 KiB: with Zen 4's and Ice Lake's cache of 1 MiB and more there is room for the weights streaming by.
        let byCache = max(1, (tokens * hidden + 112 * 1024 - 1) / (112 * 1024))
        let parts = (byCache + threads - 1) / threads * threads
        guard threads == 1 || tokens / parts >= 2 * kernels.tileRows else { return nil }
        return Partition(count: tokens, parts: parts)
    }

    var taskCount: Int { rows.parts }

    // A cache line more than the row; see MatrixStep.scratchStride.
    private var normalisedStride: Int { (first.depth + 15) / 16 * 16 + 16 }
    private var hiddenStride: Int { (first.columns + 15) / 16 * 16 + 16 }

    var scratchCount: Int { rows.largest * (normalisedStride + hiddenStride) }

    func run(task: Int, _ context: TaskContext) {
        let tokens = rows[task]
        let x = input.rows(context, from: tokens.lowerBound)
        let y = output.rows(context, from: tokens.lowerBound)
        let normalised = Rows(context.scratch, stride: normalisedStride)
        let hidden = Rows(context.scratch + rows.largest * normalisedStride, stride: hiddenStride)
        kernels.layerNorm(
            x, rows: tokens.count, channels: first.depth, epsilon: epsilon, weight: nil, bias: nil, into: normalised)
        first.multiply(
            normalised, rows: tokens.count, columnRange: 0..<first.columns, activation: activation, residual: nil,
            into: hidden, kernels: kernels)
        second.multiply(
            hidden, rows: tokens.count, columnRange: 0..<second.columns, activation: .none, residual: x, into: y,
            kernels: kernels)
    }
}
