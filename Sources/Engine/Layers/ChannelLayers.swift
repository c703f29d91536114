import CETNetGraph
import CETNetKernels
import CKernels

/// All inputs side by side. Takes no step where they are computed in the places that they have in it.
struct ConcatenationLayer: Layer {
    var place: OutputPlace { .joinedInputs }

    /// Copies those inputs that are not computed where they have to be.
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let whole = builder.slot(of: node.output)
        var channel = whole.channel
        var copies: [(from: PlanBuilder.Slot, to: PlanBuilder.Slot)] = []
        for value in node.inputs {
            let input = builder.slot(of: value)
            let place = PlanBuilder.Slot(buffer: whole.buffer, channel: channel, shape: input.shape)
            if (input.buffer, input.channel) != (place.buffer, place.channel) { copies.append((input, place)) }
            channel += input.shape.channels
        }
        for (index, copy) in copies.enumerated() {
            builder.appendPointwise(
                node.name, nodes: index == copies.count - 1 ? node.nodes : [], copy.from, into: copy.to)
        }
    }
}

/// Some channels of the input, where they are: takes no step.
struct ChannelSliceLayer: Layer {
    let channels: Range<Int>

    var place: OutputPlace { .partOfInput(channels) }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {}
}

/// Channels of two maps in turn.
///
/// The order could be folded into the weights that read the result, but the next unit takes every second channel of it,
/// which would have to be gathered instead: half of this pass, which as it is takes 1.5 % of a shuffle embedding's time.
struct ChannelShuffleLayer: Layer {
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (first, second) = (builder.slot(of: node.inputs[0]), builder.slot(of: node.inputs[1]))
        let output = builder.output(of: node)
        let rows = Partition(count: output.shape.tokens, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [first, second, output]) {
            ChannelShuffleStep(first: $0(first), second: $0(second), output: $0(output), rows: rows)
        }
    }
}

struct ChannelShuffleStep: Step {
    let first: Location
    let second: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let start = rows[task].lowerBound
        context.kernels.interleave(
            first.rows(context, from: start), second.rows(context, from: start), rows: rows[task].count,
            channels: first.shape.channels, into: output.rows(context, from: start))
    }
}

extension KernelSet {
    /// The `channels` of `a` and `b` in turn, a0, b0, a1, b1, …, on `rows` rows.
    package func interleave(_ a: Rows, _ b: Rows, rows: Int, channels: Int, into y: Rows) {
        var arguments = cetnet_interleave(
            a: a.base, a_stride: a.stride, b: b.base, b_stride: b.stride, rows: rows, channels: channels, y: y.base,
            y_stride: y.stride)
        functions.pointee.interleave(&arguments)
    }
}
