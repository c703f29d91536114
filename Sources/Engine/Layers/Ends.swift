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
    /// Whether it is the class token alone, which is behind the map and no part of it.
    let isClassToken: Bool

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        guard let destination = context.outputs[output] else { return }
        let (map, rows) = (input.shape.map, input.rows(context))
        let (first, tokens) = isClassToken ? (map.tokens, 1) : (0, map.tokens)
        cetnet_positions_to_planes(
            rows.base + first * rows.stride, rows.stride, tokens, map.channels, 0, tokens,
            destination + context.imageIndex * tokens * map.channels)
    }
}
