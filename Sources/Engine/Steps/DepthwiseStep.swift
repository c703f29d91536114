import CETNetGraph
import CETNetOperators

/// A depthwise convolution with its BatchNorm and activation, some output rows per task.
struct DepthwiseStep: Step {
    let weights: DepthwiseWeights
    let geometry: ConvolutionGeometry
    let activation: ActivationKind
    let input: Location
    let output: Location
    let kernels: KernelSet
    let rows: Partition

    init(
        weights: DepthwiseWeights, geometry: ConvolutionGeometry, activation: ActivationKind, input: Location,
        output: Location, kernels: KernelSet, threads: Int
    ) {
        self.weights = weights
        self.geometry = geometry
        self.activation = activation
        self.input = input
        self.output = output
        self.kernels = kernels
        rows = Partition(count: geometry.outputHeight, parts: threads == 1 ? 1 : 4 * threads)
    }

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        geometry.depthwise(
            input.rows(context), weights: weights.weights, bias: weights.bias, activation: activation,
            outputRows: rows[task], into: output.rows(context), kernels: kernels)
    }
}
