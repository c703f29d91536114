import CKernels

/// Attention of one head inside one window: `out = softmax(Q · Kᵀ + bias + mask) · V` (the Swin Transformer,
/// arXiv 2103.14030, equation 4, with queries scaled beforehand).
package struct WindowAttentionHead {
    /// Tokens in the window.
    package var tokens: Int
    package var headDimension: Int
    /// Width of a score row in memory: `tokens` rounded up to whole panels.
    package var scoreStride: Int
    /// For each token the row that holds its query, key and value.
    package var rows: UnsafePointer<UnsafePointer<Float>?>
    package var queryOffset: Int
    package var keyOffset: Int
    package var valueOffset: Int
    /// Relative position bias, tokens × ``scoreStride``.
    package var bias: UnsafePointer<Float>
    /// Added to the scores, tokens × ``scoreStride``; `nil` where nothing is masked.
    package var mask: UnsafePointer<Float>?
    /// For each token where its result goes; `nil` for padded tokens.
    package var outputs: UnsafePointer<UnsafeMutablePointer<Float>?>
    package var outputOffset: Int

    package init(
        tokens: Int, headDimension: Int, scoreStride: Int, rows: UnsafePointer<UnsafePointer<Float>?>, queryOffset: Int,
        keyOffset: Int, valueOffset: Int, bias: UnsafePointer<Float>, mask: UnsafePointer<Float>?,
        outputs: UnsafePointer<UnsafeMutablePointer<Float>?>, outputOffset: Int
    ) {
        self.tokens = tokens
        self.headDimension = headDimension
        self.scoreStride = scoreStride
        self.rows = rows
        self.queryOffset = queryOffset
        self.keyOffset = keyOffset
        self.valueOffset = valueOffset
        self.bias = bias
        self.mask = mask
        self.outputs = outputs
        self.outputOffset = outputOffset
    }

    /// Floats of scratch that ``run(scratch:layout:kernels:)`` needs.
    package static func scratchCount(tokens: Int, headDimension: Int, kernels: KernelSet) -> Int {
        cetnet_window_attention_scratch(tokens, headDimension, kernels.panelColumns)
    }

    /// Computes the head, both products with the kernel set's GEMM or, for row-major layout, with OpenBLAS.
    package func run(scratch: UnsafeMutablePointer<Float>, layout: MatrixWeights.Layout, kernels: KernelSet) {
        switch layout {
        case .panels:
            var arguments = cetnet_window_attention(
                tokens: tokens, head_dimension: headDimension, rows: rows, query_offset: queryOffset,
                key_offset: keyOffset, value_offset: valueOffset, bias: bias, mask: mask, score_stride: scoreStride,
                outputs: outputs, output_offset: outputOffset, scratch: scratch)
            kernels.functions.pointee.window_attention(&arguments)
        case .rowMajor:
            runWithOpenBLAS(scratch: scratch, kernels: kernels)
        }
    }

    private func runWithOpenBLAS(scratch: UnsafeMutablePointer<Float>, kernels: KernelSet) {
        let size = tokens * headDimension
        let (queries, keys, values) = (scratch, scratch + size, scratch + 2 * size)
        let scores = scratch + 3 * size
        for token in 0..<tokens {
            guard let row = rows[token] else { continue }
            let at = token * headDimension
            (queries + at).update(from: row + queryOffset, count: headDimension)
            (keys + at).update(from: row + keyOffset, count: headDimension)
            (values + at).update(from: row + valueOffset, count: headDimension)
        }
        OpenBLAS.multiply(
            rows: tokens, columns: tokens, depth: headDimension, a: queries, aStride: headDimension, b: keys,
            bStride: headDimension, transposed: true, c: scores, cStride: scoreStride)
        var addBias = cetnet_epilogue(
            c: scores, c_stride: scoreStride, rows: tokens, columns: tokens, bias: nil,
            activation: ActivationKind.none.rawValue, residual: bias, residual_stride: scoreStride,
            residual_first: 0)
        kernels.functions.pointee.epilogue(&addBias)
        var softmax = cetnet_softmax(
            scores: scores, stride: scoreStride, rows: tokens, columns: tokens, mask: mask, mask_stride: scoreStride)
        kernels.functions.pointee.softmax(&softmax)
        // The queries are used up: their place takes the results.
        OpenBLAS.multiply(
            rows: tokens, columns: headDimension, depth: tokens, a: scores, aStride: scoreStride, b: values,
            bStride: headDimension, transposed: false, c: queries, cStride: headDimension)
        for token in 0..<tokens {
            guard let output = outputs[token] else { continue }
            (output + outputOffset).update(from: queries + token * headDimension, count: headDimension)
        }
    }
}
