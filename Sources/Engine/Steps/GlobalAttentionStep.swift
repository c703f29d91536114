import CETNetGraph
import CETNetOperators

/// Where the keys or the values of global attention are: some channels of a value.
struct HeadChannels: Sendable {
    let location: Location
    /// First channel of the first head.
    let offset: Int

    func rows(_ context: TaskContext, head: Int, headDimension: Int) -> Rows {
        Rows(location.pointer(context) + offset + head * headDimension, stride: location.stride)
    }
}

/// Packs the keys and values of global attention for the engine's own GEMM: some keys of one head per task.
struct PackKeysStep: Step {
    let attention: GlobalAttention
    let keys: HeadChannels
    let values: HeadChannels
    /// One row per head.
    let packed: Location
    let kernels: KernelSet
    /// Whole panels of keys.
    private let parts: Partition

    init(
        attention: GlobalAttention, keys: HeadChannels, values: HeadChannels, packed: Location, kernels: KernelSet,
        threads: Int
    ) {
        self.attention = attention
        self.keys = keys
        self.values = values
        self.packed = packed
        self.kernels = kernels
        let panels = (keys.location.shape.tokens + kernels.panelColumns - 1) / kernels.panelColumns
        parts = Partition(
            count: panels, parts: threads == 1 ? 1 : (2 * threads + attention.heads - 1) / attention.heads)
    }

    var taskCount: Int { attention.heads * parts.parts }

    func run(task: Int, _ context: TaskContext) {
        let (head, part) = (task / parts.parts, parts[task % parts.parts])
        let count = keys.location.shape.tokens
        let range = part.lowerBound * kernels.panelColumns..<min(count, part.upperBound * kernels.panelColumns)
        GlobalAttentionHead.pack(
            keys: keys.rows(context, head: head, headDimension: attention.headDimension),
            values: values.rows(context, head: head, headDimension: attention.headDimension), count: count,
            headDimension: attention.headDimension, range: range,
            into: packed.rows(context, from: head).base, kernels: kernels)
    }
}

/// Attention of all queries to all keys, some queries of one head per task.
struct GlobalAttentionStep: Step {
    let attention: GlobalAttention
    let queries: Location
    let keys: HeadChannels
    let values: HeadChannels
    /// What ``PackKeysStep`` has made; `nil` if OpenBLAS multiplies, which takes keys and values as they are.
    let packed: Location?
    let output: Location
    let kernels: KernelSet
    private let rows: Partition

    init(
        attention: GlobalAttention, queries: Location, keys: HeadChannels, values: HeadChannels, packed: Location?,
        output: Location, kernels: KernelSet, threads: Int
    ) {
        self.attention = attention
        self.queries = queries
        self.keys = keys
        self.values = values
        self.packed = packed
        self.output = output
        self.kernels = kernels
        let count = queries.shape.tokens
        if packed != nil {
            // Several tasks for each thread, but each with some register tiles of queries.
            let wanted = threads == 1 ? 1 : (4 * threads + attention.heads - 1) / attention.heads
            rows = Partition(count: count, parts: min(wanted, max(1, count / (2 * kernels.tileRows))))
        } else {
            // OpenBLAS may round differently for another number of rows: these depend on the shape alone.
            let step = GlobalAttentionHead.rowsWithOpenBLAS(keys: keys.location.shape.tokens, kernels: kernels)
            rows = Partition(count: count, parts: (count + step - 1) / step)
        }
    }

    var taskCount: Int { attention.heads * rows.parts }

    var scratchCount: Int {
        GlobalAttentionHead.scratchCount(
            keys: keys.location.shape.tokens, layout: packed == nil ? .rowMajor : .panels, kernels: kernels)
    }

    func run(task: Int, _ context: TaskContext) {
        let (head, rows) = (task / rows.parts, rows[task % rows.parts])
        let dimension = attention.headDimension
        let operands: GlobalAttentionHead.Operands =
            if let packed {
                .packed(packed.rows(context, from: head).base)
            } else {
                .rows(
                    keys: keys.rows(context, head: head, headDimension: dimension),
                    values: values.rows(context, head: head, headDimension: dimension))
            }
        func channels(_ location: Location) -> Rows {
            let start = location.rows(context, from: rows.lowerBound)
            return Rows(start.base + head * dimension, stride: start.stride)
        }
        GlobalAttentionHead(keys: keys.location.shape.tokens, headDimension: dimension, operands: operands).run(
            queries: channels(queries), rows: rows.count, into: channels(output), scratch: context.scratch,
            kernels: kernels)
    }
}
