import CETNetGraph
import CETNetOperators

/// Attention in cross-shaped windows, some heads of one stripe per task.
///
/// Padding and the cutting of stripes are address arithmetic: each token of a stripe is the address of its row, and a
/// padded token's address is that of the projection's bias. Every branch writes its own channels of the output.
struct StripeAttentionStep: Step {
    /// The stripes of one kind, and the heads that attend in them.
    private struct Branch {
        let axes: StripeAxes
        let firstHead: Int
        let headGroups: Partition
        let firstTask: Int
        let weights: StripeWeights.Branch

        var taskCount: Int { axes.stripes * headGroups.parts }
    }

    let attention: CrossShapedAttention
    let weights: StripeWeights
    let layout: MatrixWeights.Layout
    let input: Location
    let output: Location
    let kernels: KernelSet
    private let branches: [Branch]
    private let mostTokens: Int
    let taskCount: Int

    init(
        attention: CrossShapedAttention, weights: StripeWeights, layout: MatrixWeights.Layout, input: Location,
        output: Location, kernels: KernelSet
    ) {
        self.attention = attention
        self.weights = weights
        self.layout = layout
        self.input = input
        self.output = output
        self.kernels = kernels
        var branches: [Branch] = []
        var (firstHead, firstTask) = (0, 0)
        for (index, branch) in attention.branches.enumerated() {
            let axes = StripeAxes(branch.stripe, map: input.shape.size)
            branches.append(
                Branch(
                    axes: axes, firstHead: firstHead,
                    headGroups: Partition(heads: branch.heads, windows: axes.stripes),
                    firstTask: firstTask, weights: weights.branches[index]))
            firstHead += branch.heads
            firstTask += branches.last!.taskCount
        }
        self.branches = branches
        taskCount = firstTask
        mostTokens = branches.map(\.axes.tokens).max()!
    }

    var scratchCount: Int {
        // Two pointers per token, as many bytes as four floats, in front of the scratch of a head.
        4 * mostTokens + 16
            + StripeAttentionHead.scratchCount(
                tokens: mostTokens, headDimension: attention.headDimension, layout: layout, kernels: kernels)
    }

    func run(task: Int, _ context: TaskContext) {
        let branch = branches.last { $0.firstTask <= task }!
        let axes = branch.axes
        let index = task - branch.firstTask
        let (stripe, headGroup) = (index / branch.headGroups.parts, index % branch.headGroups.parts)
        let tokens = axes.tokens
        let raw = UnsafeMutableRawPointer(context.scratch)
        let rows = raw.bindMemory(to: UnsafePointer<Float>?.self, capacity: tokens)
        let outputs = (raw + tokens * MemoryLayout<UnsafePointer<Float>?>.stride)
            .bindMemory(to: UnsafeMutablePointer<Float>?.self, capacity: tokens)
        let scratch = context.scratch + (4 * tokens + 15) / 16 * 16
        let x = input.pointer(context)
        let y = output.pointer(context)
        for across in 0..<axes.breadth {
            for along in 0..<axes.length {
                let token = across * axes.length + along
                let position = axes.position(stripe: stripe, across: across, along: along)
                rows[token] = position.map { UnsafePointer(x + $0 * input.stride) } ?? weights.paddedRow
                outputs[token] = position.map { y + $0 * output.stride }
            }
        }
        let dimension = attention.headDimension
        for head in branch.headGroups[headGroup] {
            let channel = (branch.firstHead + head) * dimension
            StripeAttentionHead(
                breadth: axes.breadth, length: axes.length, headDimension: dimension, rows: rows,
                queryOffset: channel, keyOffset: attention.channels + channel,
                valueOffset: 2 * attention.channels + channel,
                lepeWeights: branch.weights.weights + head * 9 * dimension,
                lepeBias: branch.weights.bias + head * dimension, outputs: outputs, outputOffset: channel
            ).run(scratch: scratch, layout: layout, kernels: kernels)
        }
    }
}
