import CETNetGraph
import CETNetKernels
import CKernels

/// Attention of all queries to all keys (Vaswani et al., arXiv 1706.03762, equation 1), queries scaled beforehand.
struct GlobalAttentionLayer: Layer {
    let attention: GlobalAttention

    /// Packing of keys and values, unless OpenBLAS takes them as they are; then attention.
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (attention, kernels, threads) = (attention, builder.kernels, builder.threads)
        let (queries, keys, values) = (
            builder.slot(of: node.inputs[0]), builder.slot(of: node.inputs[1]), builder.slot(of: node.inputs.last!)
        )
        // Packed into one value, the values' channels follow the keys'.
        let valuesOffset = node.inputs.count == 2 ? attention.channels : 0
        let keyCount = keys.shape.tokens
        let packed = builder.format == .panels ? draftPacking(node, keys, values, valuesOffset, in: &builder) : nil
        // A task reads the queries that its results replace, and no others.
        let output = builder.output(of: node, replacing: node.input)
        let rows =
            packed != nil
            ? Partition(queries: queries.shape.tokens, heads: attention.heads, threads: threads, kernels: kernels)
            // OpenBLAS may round differently for another number of rows: these depend on the shape alone.
            : Partition(count: queries.shape.tokens, largest: kernels.globalAttentionRowsWithOpenBLAS(keys: keyCount))
        let scratch = kernels.globalAttentionScratch(keys: keyCount, builder.format)
        builder.append(
            node.name, nodes: node.nodes, uses: [queries, keys, values, output] + (packed.map { [$0] } ?? [])
        ) {
            GlobalAttentionStep(
                attention: attention, queries: $0(queries), keys: HeadChannels(location: $0(keys), offset: 0),
                values: HeadChannels(location: $0(values), offset: valuesOffset), packed: packed.map($0),
                output: $0(output), rows: rows, scratchFloats: scratch)
        }
    }

    private func draftPacking(
        _ node: FusedNode, _ keys: PlanBuilder.Slot, _ values: PlanBuilder.Slot, _ valuesOffset: Int,
        in builder: inout PlanBuilder
    ) -> PlanBuilder.Slot {
        let (attention, kernels, threads) = (attention, builder.kernels, builder.threads)
        let count = GlobalAttentionHead.packedCount(
            keys: keys.shape.tokens, dimension: attention.headDimension, kernels: kernels)
        let buffer = builder.newBuffer(TensorShape(height: 1, width: attention.heads, channels: count))
        // Whole panels of keys.
        let panels = (keys.shape.tokens + kernels.panelColumns - 1) / kernels.panelColumns
        let parts = Partition(panels: panels, heads: attention.heads, threads: threads)
        builder.append(node.name + " (packing)", nodes: [], uses: [keys, values, buffer]) {
            PackKeysStep(
                attention: attention, keys: HeadChannels(location: $0(keys), offset: 0),
                values: HeadChannels(location: $0(values), offset: valuesOffset), packed: $0(buffer), panels: parts)
        }
        return buffer
    }
}

/// Where the keys or the values of global attention are: some channels of a value.
struct HeadChannels: Sendable {
    let location: Location
    /// First channel of the first head.
    let offset: Int

    func rows(_ context: TaskContext, head: Int, dimension: Int, from first: Int = 0) -> Rows {
        let rows = location.rows(context, from: first)
        return Rows(rows.base + offset + head * dimension, stride: rows.stride)
    }
}

/// Packs the keys and values of global attention for the engine's own GEMM: some keys of one head per task.
struct PackKeysStep: Step {
    let attention: GlobalAttention
    let keys: HeadChannels
    let values: HeadChannels
    /// One row per head.
    let packed: Location
    let panels: Partition

    var taskCount: Int { attention.heads * panels.parts }

    func run(task: Int, _ context: TaskContext) {
        let (head, part) = (task / panels.parts, panels[task % panels.parts])
        let (count, width) = (keys.location.shape.tokens, context.kernels.panelColumns)
        GlobalAttentionHead.pack(
            keys: keys.rows(context, head: head, dimension: attention.headDimension),
            values: values.rows(context, head: head, dimension: attention.headDimension), count: count,
            dimension: attention.headDimension,
            range: part.lowerBound * width..<min(count, part.upperBound * width),
            into: packed.rows(context, from: head).base, kernels: context.kernels)
    }
}

/// Some queries of one head per task.
struct GlobalAttentionStep: Step {
    let attention: GlobalAttention
    let queries: Location
    let keys: HeadChannels
    let values: HeadChannels
    /// What ``PackKeysStep`` has made; `nil` if OpenBLAS multiplies, which takes keys and values as they are.
    let packed: Location?
    let output: Location
    let rows: Partition
    let scratchFloats: Int

    var taskCount: Int { attention.heads * rows.parts }

    var scratchBytes: Int { scratchFloats * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let (head, rows) = (task / rows.parts, rows[task % rows.parts])
        let dimension = attention.headDimension
        let operands: GlobalAttentionHead.Operands =
            if let packed {
                .packed(packed.rows(context, from: head).base)
            } else {
                .rows(
                    keys: keys.rows(context, head: head, dimension: dimension),
                    values: values.rows(context, head: head, dimension: dimension))
            }
        func part(_ location: Location) -> Rows {
            HeadChannels(location: location, offset: 0)
                .rows(context, head: head, dimension: dimension, from: rows.lowerBound)
        }
        GlobalAttentionHead(keys: keys.location.shape.tokens, dimension: dimension, operands: operands).run(
            queries: part(queries), rows: rows.count, into: part(output), scratch: context.scratchFloats,
            kernels: context.kernels)
    }
}

/// Attention of queries of one head to all of its keys: `out = softmax(Q · Kᵀ) · V`. Scores exist for a few queries at a
/// time only.
package struct GlobalAttentionHead {
    /// Keys and values in the form that one of the two GEMMs wants.
    package enum Operands {
        /// Packed by ``pack(keys:values:count:dimension:range:into:kernels:)``.
        case packed(UnsafePointer<Float>)
        /// As they are, for OpenBLAS.
        case rows(keys: Rows, values: Rows)
    }

    /// Number of keys.
    let keys: Int
    let dimension: Int
    let operands: Operands

    package init(keys: Int, dimension: Int, operands: Operands) {
        self.keys = keys
        self.dimension = dimension
        self.operands = operands
    }

    /// Floats that a head's packed keys and values take: whole cache lines.
    package static func packedCount(keys: Int, dimension: Int, kernels: KernelSet) -> Int {
        CacheLine.floats(
            cetnet_packed_floats(keys, dimension, kernels.panelColumns)
                + cetnet_packed_floats(dimension, keys, kernels.panelColumns))
    }

    /// Packs some of a head's keys and values; the rest may be packed by someone else at the same time.
    /// - Parameters:
    ///   - range: the keys to pack; from a multiple of the panel width to another one or to the end.
    ///   - packed: room for ``packedCount(keys:dimension:kernels:)`` floats.
    package static func pack(
        keys: Rows, values: Rows, count: Int, dimension: Int, range: Range<Int>,
        into packed: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        var packKeys = cetnet_pack(
            weights: keys.base + range.lowerBound * keys.stride, weights_stride: keys.stride, column_scale: nil,
            depth_scale: nil, bias: nil, columns: range.count, depth: dimension, integers: nil, scales: nil,
            panels: packed + cetnet_panel_offset(range.lowerBound, dimension))
        kernels.functions.pointee.pack_panels(&packKeys)
        var packValues = cetnet_pack_values(
            values: values.base, values_stride: values.stride, keys: count, dimension: dimension,
            first: range.lowerBound, end: range.upperBound,
            panels: packed + cetnet_packed_floats(count, dimension, kernels.panelColumns))
        kernels.functions.pointee.pack_values(&packValues)
    }

    /// Computes the results of `rows` queries, which may lie where the queries are. Which queries are computed together
    /// shows in no result, except with OpenBLAS.
    package func run(
        queries: Rows, rows: Int, into out: Rows, scratch: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        switch operands {
        case .packed(let packed):
            var arguments = cetnet_global_attention(
                queries: queries.base, queries_stride: queries.stride, rows: rows, keys: keys,
                dimension: dimension, packed_keys: packed,
                packed_values: packed + cetnet_packed_floats(keys, dimension, kernels.panelColumns),
                out: out.base, out_stride: out.stride, scratch: scratch)
            kernels.functions.pointee.global_attention(&arguments)
        case .rows(let keyRows, let valueRows):
            let step = kernels.globalAttentionRowsWithOpenBLAS(keys: keys)
            for first in stride(from: 0, to: rows, by: step) {
                runWithOpenBLAS(
                    queries: queries.advanced(by: first), rows: min(step, rows - first), keyRows: keyRows,
                    valueRows: valueRows, into: out.advanced(by: first), scratch: scratch, kernels: kernels)
            }
        }
    }

    private func runWithOpenBLAS(
        queries: Rows, rows: Int, keyRows: Rows, valueRows: Rows, into out: Rows,
        scratch: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        let stride = cetnet_score_stride(keys, kernels.panelColumns)
        OpenBLAS.multiply(
            rows: rows, columns: keys, depth: dimension, a: queries.base, aStride: queries.stride,
            b: keyRows.base, bStride: keyRows.stride, transposed: true, c: scratch, cStride: stride)
        var softmax = cetnet_softmax(
            scores: scratch, stride: stride, rows: rows, columns: keys, mask: nil, mask_stride: 0)
        kernels.functions.pointee.softmax(&softmax)
        OpenBLAS.multiply(
            rows: rows, columns: dimension, depth: keys, a: scratch, aStride: stride, b: valueRows.base,
            bStride: valueRows.stride, transposed: false, c: out.base, cStride: out.stride)
    }
}

extension KernelSet {
    /// Floats of scratch that ``GlobalAttentionHead`` needs.
    package func globalAttentionScratch(keys: Int, _ format: WeightFormat) -> Int {
        switch format {
        case .rowMajor: globalAttentionRowsWithOpenBLAS(keys: keys) * cetnet_score_stride(keys, panelColumns)
        default: cetnet_global_attention_scratch(keys, panelColumns, tileRows)
        }
    }

    /// Queries that OpenBLAS computes together, by the number of keys alone: as many as the scores' share of the cache
    /// holds, if that leaves enough rows for a matrix product.
    package func globalAttentionRowsWithOpenBLAS(keys: Int) -> Int {
        max(16, min(256, CETNET_SCORE_FLOATS / cetnet_score_stride(keys, panelColumns)))
    }
}
