import CKernels

/// Attention of queries of one head to all of its keys: `out = softmax(Q · Kᵀ) · V` (Vaswani et al., arXiv 1706.03762,
/// equation 1, with queries scaled beforehand). Scores exist for a few queries at a time only.
package struct GlobalAttentionHead {
    /// Keys and values in the form that one of the two GEMMs wants.
    package enum Operands {
        /// Packed by ``pack(keys:values:count:headDimension:range:into:kernels:)``.
        case packed(UnsafePointer<Float>)
        /// As they are, for OpenBLAS.
        case rows(keys: Rows, values: Rows)
    }

    /// Number of keys.
    package var keys: Int
    package var headDimension: Int
    package var operands: Operands

    package init(keys: Int, headDimension: Int, operands: Operands) {
        self.keys = keys
        self.headDimension = headDimension
        self.operands = operands
    }

    // MARK: Packing

    /// Floats that a head's packed keys and values take: whole cache lines.
    package static func packedCount(keys: Int, headDimension: Int, kernels: KernelSet) -> Int {
        let count =
            packedKeysCount(keys: keys, headDimension: headDimension, kernels: kernels)
            + kernels.packedColumns(headDimension) * (keys + 1)
        return (count + 15) / 16 * 16
    }

    private static func packedKeysCount(keys: Int, headDimension: Int, kernels: KernelSet) -> Int {
        kernels.packedColumns(keys) * (headDimension + 1)
    }

    /// Packs some of a head's keys and values; the rest may be packed by someone else at the same time.
    /// - Parameters:
    ///   - range: the keys to pack; from a multiple of the panel width to another one or to the end.
    ///   - packed: room for ``packedCount(keys:headDimension:kernels:)`` floats.
    package static func pack(
        keys: Rows, values: Rows, count: Int, headDimension: Int, range: Range<Int>,
        into packed: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        var packKeys = cetnet_pack(
            weights: keys.base + range.lowerBound * keys.stride, weights_stride: keys.stride, column_scale: nil,
            depth_scale: nil, bias: nil, columns: range.count, depth: headDimension,
            panels: packed + range.lowerBound * (headDimension + 1))
        kernels.functions.pointee.pack_panels(&packKeys)
        var packValues = cetnet_pack_values(
            values: values.base, values_stride: values.stride, keys: count, dimension: headDimension,
            first: range.lowerBound, end: range.upperBound,
            panels: packed + packedKeysCount(keys: count, headDimension: headDimension, kernels: kernels))
        kernels.functions.pointee.pack_values(&packValues)
    }

    // MARK: Attention

    /// Floats of scratch that ``run(queries:rows:into:scratch:kernels:)`` needs.
    package static func scratchCount(keys: Int, layout: MatrixWeights.Layout, kernels: KernelSet) -> Int {
        switch layout {
        case .panels: cetnet_global_attention_scratch(keys, kernels.panelColumns, kernels.tileRows)
        case .rowMajor: rowsWithOpenBLAS(keys: keys, kernels: kernels) * scoreStride(keys: keys, kernels: kernels)
        }
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
                dimension: headDimension, packed_keys: packed,
                packed_values: packed
                    + Self.packedKeysCount(keys: keys, headDimension: headDimension, kernels: kernels),
                out: out.base, out_stride: out.stride, scratch: scratch)
            kernels.functions.pointee.global_attention(&arguments)
        case .rows(let keyRows, let valueRows):
            let step = Self.rowsWithOpenBLAS(keys: keys, kernels: kernels)
            for first in stride(from: 0, to: rows, by: step) {
                runWithOpenBLAS(
                    queries: queries.advanced(by: first), rows: min(step, rows - first), keyRows: keyRows,
                    valueRows: valueRows, into: out.advanced(by: first), scratch: scratch, kernels: kernels)
            }
        }
    }

    static func scoreStride(keys: Int, kernels: KernelSet) -> Int {
        cetnet_score_stride(keys, kernels.panelColumns)
    }

    /// Queries that OpenBLAS computes together, by the number of keys alone: scores of at most 256 KiB, if that leaves
    /// enough rows for a matrix product.
    package static func rowsWithOpenBLAS(keys: Int, kernels: KernelSet) -> Int {
        max(16, min(256, 65536 / scoreStride(keys: keys, kernels: kernels)))
    }

    private func runWithOpenBLAS(
        queries: Rows, rows: Int, keyRows: Rows, valueRows: Rows, into out: Rows,
        scratch: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        let stride = Self.scoreStride(keys: keys, kernels: kernels)
        OpenBLAS.multiply(
            rows: rows, columns: keys, depth: headDimension, a: queries.base, aStride: queries.stride,
            b: keyRows.base, bStride: keyRows.stride, transposed: true, c: scratch, cStride: stride)
        var softmax = cetnet_softmax(
            scores: scratch, stride: stride, rows: rows, columns: keys, mask: nil, mask_stride: 0)
        kernels.functions.pointee.softmax(&softmax)
        OpenBLAS.multiply(
            rows: rows, columns: headDimension, depth: keys, a: scratch, aStride: stride, b: valueRows.base,
            bStride: valueRows.stride, transposed: false, c: out.base, cStride: out.stride)
    }
}
