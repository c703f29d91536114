import CETNetGraph
import CETNetOperators

/// What a stage's blocks start from: `LayerNorm(x) + positions` for each token of the map, then the class token with
/// its own position.
struct StageTokensStep: Step {
    let weights: StageTokensWeights
    let epsilon: Float
    /// One vector per token of the output.
    let positions: PositionTable?
    let input: Location
    let output: Location
    let kernels: KernelSet
    private let rows: Partition

    init(
        weights: StageTokensWeights, epsilon: Float, positions: PositionTable?, input: Location, output: Location,
        kernels: KernelSet, threads: Int
    ) {
        self.weights = weights
        self.epsilon = epsilon
        self.positions = positions
        self.input = input
        self.output = output
        self.kernels = kernels
        // A few rows at a time are still in the cache when their positions are added.
        rows = Partition(count: input.shape.tokens, parts: max(4 * threads, input.shape.count / (8 * 1024)))
    }

    /// The last task is the class token.
    var taskCount: Int { rows.parts + output.shape.classTokens }

    func run(task: Int, _ context: TaskContext) {
        let channels = output.shape.channels
        let range = task < rows.parts ? rows[task] : input.shape.tokens..<output.shape.tokens
        let y = output.rows(context, from: range.lowerBound)
        if task == rows.parts {
            y.base.update(from: weights.classToken!, count: channels)
        } else if let norm = weights.norm {
            kernels.layerNorm(
                input.rows(context, from: range.lowerBound), rows: range.count, channels: channels, epsilon: epsilon,
                weight: norm.weight, bias: norm.bias, into: y)
        } else {
            kernels.pointwise(
                input.rows(context, from: range.lowerBound), rows: range.count, columns: channels, scale: nil,
                residual: nil, activation: .none, into: y)
        }
        if let positions {
            kernels.pointwise(
                y, rows: range.count, columns: channels, scale: nil,
                residual: positions.rows(from: range.lowerBound), activation: .none, into: y)
        }
    }
}

/// Copies the class token out of a value.
struct TakeClassTokenStep: Step {
    let input: Location
    let output: Location

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        let token = input.rows(context, from: input.shape.tokens - 1)
        output.pointer(context).update(from: token.base, count: input.shape.channels)
    }
}
