import CETNetGraph
import CETNetOperators

/// The image from (3, height, width) to positions with channels innermost.
struct ImageStep: Step {
    let output: Location
    let rows: Partition

    init(output: Location, threads: Int) {
        self.output = output
        rows = Partition(count: output.shape.height, parts: threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let width = output.shape.width
        Layout.planesToPositions(
            context.image, tokens: output.shape.tokens, channels: output.shape.channels,
            positions: rows[task].lowerBound * width..<rows[task].upperBound * width, into: output.pointer(context))
    }
}

/// A LayerNorm that stands alone.
struct LayerNormStep: Step {
    let weights: NormWeights
    let epsilon: Float
    let input: Location
    let output: Location
    let kernels: KernelSet
    let rows: Partition

    init(
        weights: NormWeights, epsilon: Float, input: Location, output: Location, kernels: KernelSet, threads: Int
    ) {
        self.weights = weights
        self.epsilon = epsilon
        self.input = input
        self.output = output
        self.kernels = kernels
        rows = Partition(count: input.shape.tokens, parts: threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = rows[task].lowerBound
        kernels.layerNorm(
            input.rows(context, from: first), rows: rows[task].count, channels: input.shape.channels,
            epsilon: epsilon, weight: weights.weight, bias: weights.bias, into: output.rows(context, from: first))
    }
}

/// Pointwise operators that found nothing to join: an activation, or the sum of two maps.
struct PointwiseStep: Step {
    let activation: ActivationKind
    let input: Location
    let residual: Location?
    let output: Location
    let kernels: KernelSet

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        let (rows, channels) = (input.shape.tokens, input.shape.channels)
        let x = input.pointer(context)
        let y = output.pointer(context)
        if x != y { y.update(from: x, count: rows * channels) }
        kernels.finish(
            output.rows(context, from: 0), rows: rows, columns: channels, activation: activation,
            residual: residual?.rows(context, from: 0))
    }
}

/// Mean over all tokens.
struct MeanStep: Step {
    let input: Location
    let output: Location
    let kernels: KernelSet

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        kernels.meanOverRows(
            input.pointer(context), rows: input.shape.tokens, channels: input.shape.channels,
            into: output.pointer(context))
    }
}

/// Copies a stage's output, if it is asked for, to (channels, height, width).
struct FeatureStep: Step {
    let input: Location
    let stage: Int

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        guard let features = context.features else { return }
        // A class token is no part of the map.
        let shape = input.shape.map
        Layout.positionsToPlanes(
            input.pointer(context), tokens: shape.tokens, channels: shape.channels, positions: 0..<shape.tokens,
            into: features[stage] + context.imageIndex * shape.count)
    }
}

/// Copies the logits to where the caller wants them.
struct LogitsStep: Step {
    let input: Location

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        context.logits.update(from: input.pointer(context), count: input.shape.channels)
    }
}
