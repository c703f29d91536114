import CETNetGraph
import CETNetOperators

/// A linear layer or dense convolution: `activation(W · x + b) + residual`, or the residual first, `x` read in place, normalised on the way
/// (LayerNorm in front) or gathered by im2col (convolutions), a block of rows at a time.
struct MatrixStep: Step {
    enum Operand: Sendable {
        /// The rows of the input as they are.
        case tokens
        /// LayerNorm without affine part; that is folded into the weights.
        case normalised(epsilon: Float)
        /// Receptive fields.
        case im2col(ConvolutionGeometry)
        /// Receptive fields, each normalised like a token.
        case normalisedFields(ConvolutionGeometry, epsilon: Float)
    }

    let weights: MatrixWeights
    let operand: Operand
    let input: Location
    let output: Location
    let residual: Location?
    let residualFirst: Bool
    let activation: ActivationKind
    let kernels: KernelSet
    let tiling: MatrixTiling

    init(
        weights: MatrixWeights, operand: Operand, input: Location, output: Location, residual: Location?,
        residualFirst: Bool = false, activation: ActivationKind, kernels: KernelSet, threads: Int
    ) {
        self.weights = weights
        self.operand = operand
        self.input = input
        self.output = output
        self.residual = residual
        self.residualFirst = residualFirst
        self.activation = activation
        self.kernels = kernels
        tiling = MatrixTiling(
            rowCount: output.shape.tokens, rowFloats: weights.depth, columnCount: weights.columns, threads: threads,
            kernels: kernels)
    }

    var taskCount: Int { tiling.taskCount }

    /// Rows of gathered operands are a cache line longer than they need to be: at a power of two, the rows of a
    /// register tile would compete for the same few lines of the first-level cache.
    private var scratchStride: Int { (weights.depth + 15) / 16 * 16 + 16 }

    var scratchCount: Int {
        if case .tokens = operand { return 0 }
        return tiling.rows.largest * scratchStride
    }

    func run(task: Int, _ context: TaskContext) {
        let rows = tiling.rows(of: task)
        let a: Rows
        switch operand {
        case .tokens:
            a = input.rows(context, from: rows.lowerBound)
        case .normalised(let epsilon):
            a = Rows(context.scratch, stride: scratchStride)
            kernels.layerNorm(
                input.rows(context, from: rows.lowerBound), rows: rows.count, channels: weights.depth,
                epsilon: epsilon, weight: nil, bias: nil, into: a)
        case .im2col(let geometry):
            a = Rows(context.scratch, stride: scratchStride)
            geometry.im2col(input.rows(context), positions: rows, into: a, kernels: kernels)
        case .normalisedFields(let geometry, let epsilon):
            a = Rows(context.scratch, stride: scratchStride)
            geometry.im2col(input.rows(context), positions: rows, into: a, kernels: kernels)
            kernels.layerNorm(
                a, rows: rows.count, channels: weights.depth, epsilon: epsilon, weight: nil, bias: nil, into: a)
        }
        weights.multiply(
            a, rows: rows.count, columnRange: tiling.columns(of: task), activation: activation,
            residual: residual?.rows(context, from: rows.lowerBound), residualFirst: residualFirst,
            into: output.rows(context, from: rows.lowerBound), kernels: kernels)
    }
}
