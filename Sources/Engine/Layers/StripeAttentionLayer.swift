import CETNetGraph
import CETNetKernels
import CKernels

/// Attention in cross-shaped windows (the CSWin Transformer, arXiv 2107.00652, equation 7), queries scaled beforehand.
struct StripeAttentionLayer: Layer {
    let attention: CrossShapedAttention
    /// Of each branch's positional encoding: heads × 3 (across the stripe) × 3 (along it) × head dimension, and heads ×
    /// head dimension.
    private var branches: [(weights: WeightRegion, bias: WeightRegion)] = []
    /// Query, key and value of a padded token: the projection's bias, queries scaled.
    private var paddedRow = WeightRegion()

    init(_ attention: CrossShapedAttention) { self.attention = attention }

    mutating func reserve(in freezer: inout Freezer) {
        let dimension = attention.headDimension
        for branch in attention.branches {
            let (weights, bias) = (freezer.reserve(floats: branch.heads * 9 * dimension), freezer.reserve(branch.bias))
            branches.append((weights, bias))
            freezer.fill(cost: branch.weight.count) { filling throws in
                let filters = try filling.source.values(branch.weight)
                for head in 0..<branch.heads {
                    let destination = filling.floats(weights) + head * 9 * dimension
                    for across in 0..<3 {
                        for along in 0..<3 {
                            // Filters are (channel, row, column); rows run along a vertical stripe.
                            let tap =
                                if case .vertical = branch.stripe { along * 3 + across } else { across * 3 + along }
                            for channel in 0..<dimension {
                                destination[(across * 3 + along) * dimension + channel] =
                                    filters[(head * dimension + channel) * 9 + tap]
                            }
                        }
                    }
                }
            }
        }
        paddedRow = freezer.reservePaddedRow(
            attention.qkvBias, channels: attention.channels, headDimension: dimension)
    }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        var branches: [StripeAttentionStep.Branch] = []
        var (firstHead, firstTask) = (0, 0)
        for (branch, regions) in zip(attention.branches, self.branches) {
            let axes = StripeAxes(branch.stripe, map: input.shape.size)
            branches.append(
                StripeAttentionStep.Branch(
                    axes: axes, firstHead: firstHead,
                    headGroups: Partition(heads: branch.heads, windows: axes.stripes), firstTask: firstTask,
                    weights: builder.weights(regions.weights), bias: builder.weights(regions.bias)))
            firstHead += branch.heads
            firstTask += branches.last!.taskCount
        }
        let (attention, format, padded, tasks) = (attention, builder.format, builder.weights(paddedRow), firstTask)
        let mostTokens = branches.map(\.axes.tokens).max()!
        let headScratch = builder.kernels.stripeAttentionScratch(
            tokens: mostTokens, dimension: attention.headDimension, format)
        let all = branches
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            StripeAttentionStep(
                attention: attention, format: format, branches: all, paddedRow: padded, input: $0(input),
                output: $0(output), mostTokens: mostTokens, headScratch: headScratch, taskCount: tasks)
        }
    }
}

/// Some heads of one stripe per task.
///
/// Padding and the cutting of stripes are address arithmetic: each token of a stripe is the address of its row, and a
/// padded token's address is that of the projection's bias. Every branch writes its own channels of the output.
struct StripeAttentionStep: Step {
    /// The stripes of one kind, and the heads that attend in them.
    struct Branch {
        let axes: StripeAxes
        let firstHead: Int
        let headGroups: Partition
        let firstTask: Int
        let weights: Weights
        let bias: Weights

        var taskCount: Int { axes.stripes * headGroups.parts }
    }

    let attention: CrossShapedAttention
    let format: WeightFormat
    let branches: [Branch]
    let paddedRow: Weights
    let input: Location
    let output: Location
    let mostTokens: Int
    /// Floats.
    let headScratch: Int
    let taskCount: Int

    var scratchBytes: Int { TokenAddresses.byteCount(mostTokens) + headScratch * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let branch = branches.last { $0.firstTask <= task }!
        let axes = branch.axes
        let index = task - branch.firstTask
        let (stripe, headGroup) = (index / branch.headGroups.parts, index % branch.headGroups.parts)
        let addresses = TokenAddresses(axes.tokens, in: context.scratch)
        let x = input.pointer(context)
        let y = output.pointer(context)
        for across in 0..<axes.breadth {
            for along in 0..<axes.length {
                let token = across * axes.length + along
                let position = axes.position(stripe: stripe, across: across, along: along)
                addresses.rows[token] = position.map { UnsafePointer(x + $0 * input.stride) } ?? paddedRow.floats
                addresses.outputs[token] = position.map { y + $0 * output.stride }
            }
        }
        let dimension = attention.headDimension
        for head in branch.headGroups[headGroup] {
            let channel = (branch.firstHead + head) * dimension
            context.kernels.stripeAttention(
                cetnet_stripe_attention(
                    breadth: axes.breadth, length: axes.length, dimension: dimension, rows: addresses.rows,
                    query_offset: channel, key_offset: attention.channels + channel,
                    value_offset: 2 * attention.channels + channel,
                    lepe_weights: branch.weights.floats + head * 9 * dimension,
                    lepe_bias: branch.bias.floats + head * dimension, outputs: addresses.outputs,
                    output_offset: channel, scratch: addresses.behind), format)
        }
    }
}

/// How a map is cut into the stripes of one branch of cross-shaped attention.
package struct StripeAxes: Sendable {
    /// Stripes of the map.
    package let stripes: Int
    /// Tokens across a stripe, padding included.
    package let breadth: Int
    /// Tokens along a stripe.
    package let length: Int
    private let isVertical: Bool
    private let size: ImageSize

    package init(_ stripe: CrossShapedAttention.Stripe, map size: ImageSize) {
        self.size = size
        switch stripe {
        case .vertical(let width):
            isVertical = true
            breadth = width
            length = size.height
            stripes = (size.width + width - 1) / width
        case .horizontal(let width):
            isVertical = false
            breadth = width
            length = size.width
            stripes = (size.height + width - 1) / width
        case .map:
            isVertical = false
            breadth = size.height
            length = size.width
            stripes = 1
        }
    }

    /// Tokens of a stripe, padding included.
    package var tokens: Int { breadth * length }

    /// Index in the map of a stripe's token, `nil` for padding.
    package func position(stripe: Int, across: Int, along: Int) -> Int? {
        let narrow = stripe * breadth + across
        if isVertical { return narrow < size.width ? along * size.width + narrow : nil }
        return narrow < size.height ? narrow * size.width + along : nil
    }
}

extension KernelSet {
    /// Floats of scratch that ``stripeAttention(_:_:)`` needs.
    package func stripeAttentionScratch(tokens: Int, dimension: Int, _ format: WeightFormat) -> Int {
        switch format {
        case .rowMajor: 4 * tokens * dimension + globalAttentionScratch(keys: tokens, format)
        default: cetnet_stripe_attention_scratch(tokens, dimension, panelColumns, tileRows)
        }
    }

    /// Computes a head of a stripe, both products with the GEMM that wants `format`.
    package func stripeAttention(_ head: cetnet_stripe_attention, _ format: WeightFormat) {
        var head = head
        switch format {
        case .rowMajor: stripeAttentionWithOpenBLAS(head)
        default: functions.pointee.stripe_attention(&head)
        }
    }

    private func stripeAttentionWithOpenBLAS(_ head: cetnet_stripe_attention) {
        let (tokens, dimension) = (head.breadth * head.length, head.dimension)
        let gathered = GatheredHead(
            tokens: tokens, dimension: dimension, rows: head.rows,
            offsets: (head.query_offset, head.key_offset, head.value_offset), into: head.scratch)
        func matrix(_ base: UnsafeMutablePointer<Float>) -> Rows { Rows(base, stride: dimension) }
        let (queries, lepe) = (matrix(gathered.queries), matrix(gathered.behind))
        let shape = TensorShape(height: head.breadth, width: head.length, channels: dimension)
        ConvolutionGeometry(kernel: 3, stride: 1, padding: 1, from: shape, to: shape).depthwise(
            matrix(gathered.values), weights: head.lepe_weights, bias: head.lepe_bias,
            activation: nil, outputRows: 0..<head.breadth, into: lepe, kernels: self)
        // The queries are used up one after another: their places take the results.
        GlobalAttentionHead(
            keys: tokens, dimension: dimension,
            operands: .rows(keys: matrix(gathered.keys), values: matrix(gathered.values))
        ).run(
            queries: queries, rows: tokens, into: queries, scratch: gathered.behind + tokens * dimension,
            kernels: self)
        pointwise(
            queries, rows: tokens, columns: dimension, scale: nil, residual: lepe, activation: nil, into: queries)
        gathered.scatterQueries(to: head.outputs, offset: head.output_offset)
    }
}
