import CETNetGraph
import CETNetKernels
import CKernels

/// Mean over all tokens.
struct MeanLayer: Layer {
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let group = MeanStep.channelGroup
        let groups = Partition(count: (input.shape.channels + group - 1) / group, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            MeanStep(input: $0(input), output: $0(output), groups: groups)
        }
    }
}

/// Some channels per task.
struct MeanStep: Step {
    /// Two cache lines, two vectors of the widest instruction set.
    static let channelGroup = 32

    let input: Location
    let output: Location
    /// In units of ``channelGroup``.
    let groups: Partition

    var taskCount: Int { groups.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = groups[task].lowerBound * Self.channelGroup
        let end = min(input.shape.channels, groups[task].upperBound * Self.channelGroup)
        context.kernels.meanOverRows(
            Rows(input.pointer(context) + first, stride: input.stride), rows: input.shape.tokens,
            channels: end - first, into: output.pointer(context) + first)
    }
}

extension KernelSet {
    /// Mean over `rows` rows of `channels`.
    package func meanOverRows(_ x: Rows, rows: Int, channels: Int, into mean: UnsafeMutablePointer<Float>) {
        var arguments = cetnet_mean_rows(x: x.base, x_stride: x.stride, rows: rows, channels: channels, mean: mean)
        functions.pointee.mean_rows(&arguments)
    }
}
