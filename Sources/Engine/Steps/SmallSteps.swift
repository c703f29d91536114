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

/// `activation(x · scale + residual)`: what found no matrix product to join.
struct PointwiseStep: Step {
    let activation: ActivationKind
    let input: Location
    /// One factor per channel.
    let scale: Location?
    let residual: Location?
    let output: Location
    let kernels: KernelSet
    let rows: Partition

    init(
        activation: ActivationKind, input: Location, scale: Location?, residual: Location?, output: Location,
        kernels: KernelSet, threads: Int
    ) {
        self.activation = activation
        self.input = input
        self.scale = scale
        self.residual = residual
        self.output = output
        self.kernels = kernels
        rows = Partition(count: input.shape.tokens, parts: threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = rows[task].lowerBound
        kernels.pointwise(
            input.rows(context, from: first), rows: rows[task].count, columns: input.shape.channels,
            scale: scale.map { UnsafePointer($0.pointer(context)) }, residual: residual?.rows(context, from: first),
            activation: activation, into: output.rows(context, from: first))
    }
}

/// Mean over all tokens, some channels per task.
struct MeanStep: Step {
    let input: Location
    let output: Location
    let kernels: KernelSet
    /// In units of ``channelGroup``.
    let groups: Partition

    /// Two cache lines, two vectors of the widest instruction set.
    private static let channelGroup = 32

    init(input: Location, output: Location, kernels: KernelSet, threads: Int) {
        self.input = input
        self.output = output
        self.kernels = kernels
        groups = Partition(
            count: (input.shape.channels + Self.channelGroup - 1) / Self.channelGroup, parts: threads)
    }

    var taskCount: Int { groups.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = groups[task].lowerBound * Self.channelGroup
        let end = min(input.shape.channels, groups[task].upperBound * Self.channelGroup)
        kernels.meanOverRows(
            Rows(input.pointer(context) + first, stride: input.stride), rows: input.shape.tokens,
            channels: end - first, into: output.pointer(context) + first)
    }
}

/// Channels of two maps in turn.
///
/// The order could be folded into the weights that read the result, but the next unit takes every second channel of it,
/// which would have to be gathered instead: half of this pass, which as it is takes 1.5 % of a shuffle embedding's time.
struct ChannelShuffleStep: Step {
    let first: Location
    let second: Location
    let output: Location
    let kernels: KernelSet
    let rows: Partition

    init(first: Location, second: Location, output: Location, kernels: KernelSet, threads: Int) {
        self.first = first
        self.second = second
        self.output = output
        self.kernels = kernels
        rows = Partition(count: output.shape.tokens, parts: threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let start = rows[task].lowerBound
        kernels.interleave(
            first.rows(context, from: start), second.rows(context, from: start), rows: rows[task].count,
            channels: first.shape.channels, into: output.rows(context, from: start))
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
            input.rows(context), tokens: shape.tokens, channels: shape.channels, positions: 0..<shape.tokens,
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
