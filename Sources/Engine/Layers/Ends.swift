import CETNetGraph
import CKernels

/// An input of the graph: from (channels, height, width) to positions with channels innermost.
struct InputLayer: Layer {
    /// Position among the graph's inputs.
    let input: Int

    var place: OutputPlace { .ownBuffer }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (input, builder.output(of: node))
        let rows = Partition(count: output.shape.height, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [output]) {
            InputStep(input: input, output: $0(output), rows: rows)
        }
    }
}

struct InputStep: Step {
    let input: Int
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let (width, shape) = (output.shape.width, output.shape)
        cetnet_planes_to_positions(
            context.inputs[input] + context.imageIndex * shape.count, shape.tokens, shape.channels,
            rows[task].lowerBound * width, rows[task].count * width, output.pointer(context))
    }
}

/// Copies an output of the graph, if it is asked for, to (channels, height, width).
struct OutputStep: Step {
    let input: Location
    /// Position among the graph's outputs.
    let output: Int

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        guard let destination = context.outputs[output] else { return }
        // A class token is no part of the map.
        let shape = input.shape.map
        let rows = input.rows(context)
        cetnet_positions_to_planes(
            rows.base, rows.stride, shape.tokens, shape.channels, 0, shape.tokens,
            destination + context.imageIndex * shape.count)
    }
}
