import CKernels

/// Attention of one head inside one stripe of a map with locally enhanced positional encoding,
/// `out = softmax(Q · Kᵀ) · V + lepe(V)` (CSWin Transformer, arXiv 2107.00652, equation 7, with queries scaled
/// beforehand).
package struct StripeAttentionHead {
    /// Tokens across the stripe and along it.
    package var breadth: Int
    package var length: Int
    package var headDimension: Int
    /// For each token the row that holds its query, key and value; token (across, along) at `across · length + along`.
    package var rows: UnsafePointer<UnsafePointer<Float>?>
    package var queryOffset: Int
    package var keyOffset: Int
    package var valueOffset: Int
    /// 3 (across) × 3 (along) × head dimension.
    package var lepeWeights: UnsafePointer<Float>
    package var lepeBias: UnsafePointer<Float>
    /// For each token where its result goes; `nil` for padded tokens.
    package var outputs: UnsafePointer<UnsafeMutablePointer<Float>?>
    package var outputOffset: Int

    package init(
        breadth: Int, length: Int, headDimension: Int, rows: UnsafePointer<UnsafePointer<Float>?>, queryOffset: Int,
        keyOffset: Int, valueOffset: Int, lepeWeights: UnsafePointer<Float>, lepeBias: UnsafePointer<Float>,
        outputs: UnsafePointer<UnsafeMutablePointer<Float>?>, outputOffset: Int
    ) {
        self.breadth = breadth
        self.length = length
        self.headDimension = headDimension
        self.rows = rows
        self.queryOffset = queryOffset
        self.keyOffset = keyOffset
        self.valueOffset = valueOffset
        self.lepeWeights = lepeWeights
        self.lepeBias = lepeBias
        self.outputs = outputs
        self.outputOffset = outputOffset
    }

    /// Floats of scratch that ``run(scratch:layout:kernels:)`` needs.
    package static func scratchCount(
        tokens: Int, headDimension: Int, layout: MatrixWeights.Layout, kernels: KernelSet
    ) -> Int {
        switch layout {
        case .panels:
            cetnet_stripe_attention_scratch(tokens, headDimension, kernels.panelColumns, kernels.tileRows)
        case .rowMajor:
            4 * tokens * headDimension
                + GlobalAttentionHead.scratchCount(keys: tokens, layout: layout, kernels: kernels)
        }
    }

    /// Computes the head, both products with the kernel set's GEMM or, for row-major layout, with OpenBLAS.
    package func run(scratch: UnsafeMutablePointer<Float>, layout: MatrixWeights.Layout, kernels: KernelSet) {
        switch layout {
        case .panels:
            var arguments = cetnet_stripe_attention(
                breadth: breadth, length: length, dimension: headDimension, rows: rows, query_offset: queryOffset,
                key_offset: keyOffset, value_offset: valueOffset, lepe_weights: lepeWeights, lepe_bias: lepeBias,
                outputs: outputs, output_offset: outputOffset, scratch: scratch)
            kernels.functions.pointee.stripe_attention(&arguments)
        case .rowMajor:
            runWithOpenBLAS(scratch: scratch, kernels: kernels)
        }
    }

    private func runWithOpenBLAS(scratch: UnsafeMutablePointer<Float>, kernels: KernelSet) {
        let tokens = breadth * length
        let size = tokens * headDimension
        let (queries, keys, values, lepe) = (scratch, scratch + size, scratch + 2 * size, scratch + 3 * size)
        for token in 0..<tokens {
            guard let row = rows[token] else { continue }
            let at = token * headDimension
            (queries + at).update(from: row + queryOffset, count: headDimension)
            (keys + at).update(from: row + keyOffset, count: headDimension)
            (values + at).update(from: row + valueOffset, count: headDimension)
        }
        func matrix(_ base: UnsafeMutablePointer<Float>) -> Rows { Rows(base, stride: headDimension) }
        ConvolutionGeometry(
            inputHeight: breadth, inputWidth: length, channels: headDimension, kernel: 3, stride: 1, padding: 1,
            outputHeight: breadth, outputWidth: length
        ).depthwise(
            matrix(values), weights: lepeWeights, bias: lepeBias, activation: .none, outputRows: 0..<breadth,
            into: matrix(lepe), kernels: kernels)
        // The queries are used up one after another: their places take the results.
        GlobalAttentionHead(
            keys: tokens, headDimension: headDimension, operands: .rows(keys: matrix(keys), values: matrix(values))
        ).run(
            queries: matrix(queries), rows: tokens, into: matrix(queries), scratch: scratch + 4 * size,
            kernels: kernels)
        kernels.pointwise(
            matrix(queries), rows: tokens, columns: headDimension, scale: nil, residual: matrix(lepe),
            activation: .none, into: matrix(queries))
        for token in 0..<tokens {
            guard let output = outputs[token] else { continue }
            (output + outputOffset).update(from: queries + token * headDimension, count: headDimension)
        }
    }
}
