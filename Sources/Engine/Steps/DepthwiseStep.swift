import CETNetGraph
import CETNetOperators

/// A depthwise convolution with its BatchNorm and activation, some output rows per task. A class token may go around
/// it.
struct DepthwiseStep: Step {
    let weights: DepthwiseWeights
    let geometry: ConvolutionGeometry
    let activation: ActivationKind
    let input: Location
    let output: Location
    /// The value whose class token follows the output's map.
    let classToken: Location?
    let kernels: KernelSet
    let rows: Partition

    init(
        weights: DepthwiseWeights, geometry: ConvolutionGeometry, activation: ActivationKind, input: Location,
        output: Location, classToken: Location?, kernels: KernelSet, threads: Int
    ) {
        self.weights = weights
        self.geometry = geometry
        self.activation = activation
        self.input = input
        self.output = output
        self.classToken = classToken
        self.kernels = kernels
        rows = Partition(count: geometry.outputHeight, parts: threads == 1 ? 1 : 4 * threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        geometry.depthwise(
            input.rows(context), weights: weights.weights, bias: weights.bias, activation: activation,
            outputRows: rows[task], into: output.rows(context), kernels: kernels)
        if task == 0, let classToken {
            output.rows(context, from: output.shape.tokens - 1).base.update(
                from: classToken.rows(context, from: classToken.shape.tokens - 1).base, count: output.shape.channels)
        }
    }
}
