import CETNetCheckpoint
import CETNetGraph
import CETNetKernels
import CKernels

/// Attention inside shifted windows (the Swin Transformer, arXiv 2103.14030, equation 4), queries scaled beforehand.
struct WindowAttentionLayer: Layer {
    let attention: WindowAttention
    private var tables = Tables()

    /// What is added to the scores, laid out as the kernel reads it.
    private struct Tables {
        /// Tokens rounded up to whole panels of the GEMM: the width of a row of scores.
        var scoreStride = 0
        /// heads × tokens × scoreStride: the relative position bias of every pair, gathered from its table.
        var bias = WeightRegion()
        /// 3 × tokens × scoreStride: what shifted windows add at the bottom edge, the right edge, and the corner.
        var masks: WeightRegion?
        /// Query, key and value of a padded token: the projection's bias, queries scaled.
        var paddedRow = WeightRegion()
    }

    init(_ attention: WindowAttention) { self.attention = attention }

    /// Tokens of a window.
    private var tokens: Int { attention.windowSize * attention.windowSize }

    // MARK: Weights

    mutating func reserve(in freezer: inout Freezer) {
        let stride = freezer.kernels.packedColumns(tokens)
        tables.scoreStride = stride
        tables.bias = freezer.reserve(floats: attention.heads * tokens * stride)
        if attention.shift > 0 { tables.masks = freezer.reserve(floats: 3 * tokens * stride) }
        tables.paddedRow = freezer.reservePaddedRow(
            attention.qkvBias, channels: attention.channels, headDimension: attention.headDimension)
        let layer = self
        freezer.fill(cost: attention.heads * tokens * stride) { filling throws in
            try layer.fillBias(from: filling.source, into: filling.floats(layer.tables.bias))
            if let masks = layer.tables.masks { layer.fillMasks(into: filling.floats(masks)) }
        }
    }

    /// From the table of relative positions, ((2w−1)², heads).
    private func fillBias(from source: any TensorSource, into bias: UnsafeMutablePointer<Float>) throws {
        let table = try source.values(attention.relativePositionBiasTable)
        let w = attention.windowSize
        for head in 0..<attention.heads {
            for query in 0..<tokens {
                let row = bias + (head * tokens + query) * tables.scoreStride
                for key in 0..<tokens {
                    let deltaRow = query / w - key / w + w - 1
                    let deltaColumn = query % w - key % w + w - 1
                    row[key] = table[(deltaRow * (2 * w - 1) + deltaColumn) * attention.heads + head]
                }
            }
        }
    }

    /// Masks of windows at the bottom, at the right and in the corner of a shifted map.
    ///
    /// After the roll by −s, only the last window of an axis holds two regions: its first w − s positions and its last
    /// s, which come from the other end of the map. −100 keeps tokens of different regions apart.
    private func fillMasks(into masks: UnsafeMutablePointer<Float>) {
        let w = attention.windowSize
        let border = w - attention.shift
        let edges: [(rows: Bool, columns: Bool)] = [(true, false), (false, true), (true, true)]
        for (index, axes) in edges.enumerated() {
            for query in 0..<tokens {
                let row = masks + (index * tokens + query) * tables.scoreStride
                for key in 0..<tokens {
                    let rowsDiffer = axes.rows && (query / w < border) != (key / w < border)
                    let columnsDiffer = axes.columns && (query % w < border) != (key % w < border)
                    row[key] = rowsDiffer || columnsDiffer ? -100 : 0
                }
            }
        }
    }

    // MARK: Steps

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let vertical = WindowAxis(
            length: input.shape.height, window: attention.windowSize, shift: attention.shift,
            always: attention.alwaysShifts)
        let horizontal = WindowAxis(
            length: input.shape.width, window: attention.windowSize, shift: attention.shift,
            always: attention.alwaysShifts)
        let (attention, scoreStride, format) = (attention, tables.scoreStride, builder.format)
        let (bias, padded) = (builder.weights(tables.bias), builder.weights(tables.paddedRow))
        let masks = tables.masks.map { builder.weights($0) }
        let headScratch = cetnet_window_attention_scratch(
            tokens, attention.headDimension, builder.kernels.panelColumns)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            WindowAttentionStep(
                attention: attention, format: format, scoreStride: scoreStride, bias: bias, masks: masks,
                paddedRow: padded, input: $0(input), output: $0(output), vertical: vertical, horizontal: horizontal,
                headScratch: headScratch,
                headGroups: Partition(heads: attention.heads, windows: vertical.windows * horizontal.windows))
        }
    }
}

/// Some heads of one window per task.
///
/// Padding, cyclic shift, partition into windows and their inverses are address arithmetic: each token of a window is
/// the address of its row, and a padded token's address is that of the projection's bias.
struct WindowAttentionStep: Step {
    let attention: WindowAttention
    let format: WeightFormat
    let scoreStride: Int
    let bias: Weights
    let masks: Weights?
    let paddedRow: Weights
    let input: Location
    let output: Location
    let vertical: WindowAxis
    let horizontal: WindowAxis
    /// Floats.
    let headScratch: Int
    let headGroups: Partition

    var taskCount: Int { vertical.windows * horizontal.windows * headGroups.parts }

    private var tokens: Int { attention.windowSize * attention.windowSize }

    var scratchBytes: Int { TokenAddresses.byteCount(tokens) + headScratch * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let (window, headGroup) = (task / headGroups.parts, task % headGroups.parts)
        let (windowRow, windowColumn) = (window / horizontal.windows, window % horizontal.windows)
        let addresses = TokenAddresses(tokens, in: context.scratch)
        let x = input.pointer(context)
        let y = output.pointer(context)
        let w = attention.windowSize
        for i in 0..<w {
            let row = vertical.position(windowRow * w + i)
            for j in 0..<w {
                let column = horizontal.position(windowColumn * w + j)
                let inside = row < vertical.length && column < horizontal.length
                let token = row * horizontal.length + column
                addresses.rows[i * w + j] = inside ? UnsafePointer(x + token * input.stride) : paddedRow.floats
                addresses.outputs[i * w + j] = inside ? y + token * output.stride : nil
            }
        }
        let mask = mask(bottom: vertical.isDivided(windowRow), right: horizontal.isDivided(windowColumn))
        for head in headGroups[headGroup] {
            let channel = head * attention.headDimension
            context.kernels.windowAttention(
                cetnet_window_attention(
                    tokens: tokens, head_dimension: attention.headDimension, rows: addresses.rows,
                    query_offset: channel, key_offset: attention.channels + channel,
                    value_offset: 2 * attention.channels + channel, bias: bias.floats + head * tokens * scoreStride,
                    mask: mask, score_stride: scoreStride, outputs: addresses.outputs, output_offset: channel,
                    scratch: addresses.behind), format)
        }
    }

    private func mask(bottom: Bool, right: Bool) -> UnsafePointer<Float>? {
        guard let masks, bottom || right else { return nil }
        let index = bottom && right ? 2 : right ? 1 : 0
        return masks.floats + index * tokens * scoreStride
    }
}

/// One axis of a map that is padded to whole windows and shifted cyclically.
package struct WindowAxis: Sendable {
    /// Tokens of the map.
    package let length: Int
    /// Windows after padding.
    package let windows: Int
    private let padded: Int
    private let shift: Int

    /// - Parameter always: whether an axis of one window is shifted too.
    package init(length: Int, window: Int, shift: Int, always: Bool = false) {
        self.length = length
        windows = (length + window - 1) / window
        padded = windows * window
        // A map of one window has nothing to exchange with.
        self.shift = padded <= window && !always ? 0 : shift
    }

    /// Where the token at `index` of the shifted map comes from; `length` or more if it is padding.
    package func position(_ index: Int) -> Int {
        let source = index + shift
        return source < padded ? source : source - padded
    }

    /// Whether a window holds tokens of two regions that must not see each other.
    package func isDivided(_ window: Int) -> Bool { shift > 0 && window == windows - 1 }
}

/// Where the tokens of a window or stripe are, and where their results go: two addresses each, in a task's scratch.
struct TokenAddresses {
    /// The row that holds a token's query, key and value.
    let rows: UnsafeMutablePointer<UnsafePointer<Float>?>
    /// `nil` for padded tokens.
    let outputs: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    /// The scratch behind them.
    let behind: UnsafeMutablePointer<Float>

    init(_ tokens: Int, in scratch: UnsafeMutableRawPointer) {
        rows = scratch.bindMemory(to: UnsafePointer<Float>?.self, capacity: tokens)
        outputs = (scratch + tokens * MemoryLayout<UnsafePointer<Float>?>.stride)
            .bindMemory(to: UnsafeMutablePointer<Float>?.self, capacity: tokens)
        behind = (scratch + Self.byteCount(tokens)).assumingMemoryBound(to: Float.self)
    }

    /// Whole cache lines.
    static func byteCount(_ tokens: Int) -> Int {
        CacheLine.bytes(2 * tokens * MemoryLayout<UnsafePointer<Float>?>.stride)
    }
}

extension KernelSet {
    /// Computes a head of a window, both products with the GEMM that wants `format`.
    package func windowAttention(_ head: cetnet_window_attention, _ format: WeightFormat) {
        var head = head
        switch format {
        case .rowMajor: windowAttentionWithOpenBLAS(head)
        default: functions.pointee.window_attention(&head)
        }
    }

    private func windowAttentionWithOpenBLAS(_ head: cetnet_window_attention) {
        let (tokens, dimension, stride) = (head.tokens, head.head_dimension, head.score_stride)
        let gathered = GatheredHead(
            tokens: tokens, dimension: dimension, rows: head.rows,
            offsets: (head.query_offset, head.key_offset, head.value_offset), into: head.scratch)
        let scores = gathered.behind
        OpenBLAS.multiply(
            rows: tokens, columns: tokens, depth: dimension, a: gathered.queries, aStride: dimension,
            b: gathered.keys, bStride: dimension, transposed: true, c: scores, cStride: stride)
        var addBias = cetnet_epilogue(
            c: scores, c_stride: stride, rows: tokens, columns: tokens, bias: nil,
            activation: Int32(CETNET_ACTIVATION_NONE), residual: head.bias, residual_stride: stride,
            residual_first: 0)
        functions.pointee.epilogue(&addBias)
        var softmax = cetnet_softmax(
            scores: scores, stride: stride, rows: tokens, columns: tokens, mask: head.mask, mask_stride: stride)
        functions.pointee.softmax(&softmax)
        // The queries are used up: their place takes the results.
        OpenBLAS.multiply(
            rows: tokens, columns: dimension, depth: tokens, a: scores, aStride: stride, b: gathered.values,
            bStride: dimension, transposed: false, c: gathered.queries, cStride: dimension)
        gathered.scatterQueries(to: head.outputs, offset: head.output_offset)
    }
}

/// Queries, keys and values of a head's tokens as three matrices, for OpenBLAS.
struct GatheredHead {
    let tokens: Int
    let dimension: Int
    let queries: UnsafeMutablePointer<Float>

    var keys: UnsafeMutablePointer<Float> { queries + tokens * dimension }
    var values: UnsafeMutablePointer<Float> { queries + 2 * tokens * dimension }
    /// The scratch behind them.
    var behind: UnsafeMutablePointer<Float> { queries + 3 * tokens * dimension }

    init(
        tokens: Int, dimension: Int, rows: UnsafePointer<UnsafePointer<Float>?>,
        offsets: (query: Int, key: Int, value: Int), into scratch: UnsafeMutablePointer<Float>
    ) {
        self.tokens = tokens
        self.dimension = dimension
        queries = scratch
        for token in 0..<tokens {
            guard let row = rows[token] else { continue }
            let at = token * dimension
            (queries + at).update(from: row + offsets.query, count: dimension)
            (keys + at).update(from: row + offsets.key, count: dimension)
            (values + at).update(from: row + offsets.value, count: dimension)
        }
    }

    /// Copies the results that have taken the queries' places to where they belong.
    func scatterQueries(to outputs: UnsafePointer<UnsafeMutablePointer<Float>?>, offset: Int) {
        for token in 0..<tokens {
            guard let output = outputs[token] else { continue }
            (output + offset).update(from: queries + token * dimension, count: dimension)
        }
    }
}
