import CETNetGraph
import CETNetKernels
import CKernels

/// `activation(x · scale + residual)`: what found no matrix product to join. The scale, if there is one, is the second
/// input.
struct PointwiseLayer: Layer {
    var activation: Activation?

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let input = builder.slot(of: node.input)
        let scale = node.inputs.count > 1 ? builder.slot(of: node.inputs[1]) : nil
        let residual = node.residual.map { builder.slot(of: $0) }
        let replaced = [node.input, node.residual].compactMap { $0 }.first { builder.canReplace($0, with: node) }
        let output = builder.output(of: node, replacing: replaced)
        builder.appendPointwise(
            node.name, nodes: node.nodes, activation: activation, input, scale: scale, residual: residual, into: output)
    }
}

extension PlanBuilder {
    /// Appends a step that computes `activation(x · scale + residual)`, or a mere copy.
    mutating func appendPointwise(
        _ name: String, nodes: [Int], activation: Activation? = nil, _ input: Slot, scale: Slot? = nil,
        residual: Slot? = nil, into output: Slot
    ) {
        let rows = Partition(count: input.shape.tokens, parts: threads)
        append(name, nodes: nodes, uses: [input, output] + [scale, residual].compactMap { $0 }) {
            PointwiseStep(
                activation: activation, input: $0(input), scale: scale.map($0), residual: residual.map($0),
                output: $0(output), rows: rows)
        }
    }
}

struct PointwiseStep: Step {
    let activation: Activation?
    let input: Location
    /// One factor per channel.
    let scale: Location?
    let residual: Location?
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let first = rows[task].lowerBound
        context.kernels.pointwise(
            input.rows(context, from: first), rows: rows[task].count, columns: input.shape.channels,
            scale: scale.map { UnsafePointer($0.pointer(context)) }, residual: residual?.rows(context, from: first),
            activation: activation, into: output.rows(context, from: first))
    }
}

extension KernelSet {
    /// `y = activation(x · scale + residual)` on `rows` rows of `columns`; `y` may be `x` or `residual`.
    /// - Parameter scale: `columns` factors, or `nil` for 1.
    package func pointwise(
        _ x: Rows, rows: Int, columns: Int, scale: UnsafePointer<Float>?, residual: Rows?, activation: Activation?,
        into y: Rows
    ) {
        var arguments = cetnet_pointwise(
            x: x.base, x_stride: x.stride, rows: rows, columns: columns, scale: scale,
            residual: residual.map { UnsafePointer($0.base) }, residual_stride: residual?.stride ?? 0,
            activation: activation.kernel, y: y.base, y_stride: y.stride)
        functions.pointee.pointwise(&arguments)
    }
}
