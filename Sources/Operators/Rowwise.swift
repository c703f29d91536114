import CKernels

extension KernelSet {
    /// LayerNorm of `rows` rows of `channels`; see `normalization.h` for the formula.
    /// - Parameters weight, bias: `channels` values each, or both `nil` for 1 and 0.
    package func layerNorm(
        _ x: Rows, rows: Int, channels: Int, epsilon: Float, weight: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, into y: Rows
    ) {
        var arguments = cetnet_layer_norm(
            x: x.base, x_stride: x.stride, rows: rows, channels: channels, epsilon: epsilon, weight: weight,
            bias: bias, y: y.base, y_stride: y.stride)
        functions.pointee.layer_norm(&arguments)
    }

    /// Mean over `rows` rows of `channels`.
    package func meanOverRows(_ x: Rows, rows: Int, channels: Int, into mean: UnsafeMutablePointer<Float>) {
        var arguments = cetnet_mean_rows(x: x.base, x_stride: x.stride, rows: rows, channels: channels, mean: mean)
        functions.pointee.mean_rows(&arguments)
    }

    /// `y = activation(x · scale + residual)` on `rows` rows of `columns`; `y` may be `x` or `residual`.
    /// - Parameter scale: `columns` factors, or `nil` for 1.
    package func pointwise(
        _ x: Rows, rows: Int, columns: Int, scale: UnsafePointer<Float>?, residual: Rows?, activation: ActivationKind,
        into y: Rows
    ) {
        var arguments = cetnet_pointwise(
            x: x.base, x_stride: x.stride, rows: rows, columns: columns, scale: scale,
            residual: residual.map { UnsafePointer($0.base) }, residual_stride: residual?.stride ?? 0,
            activation: activation.rawValue, y: y.base, y_stride: y.stride)
        functions.pointee.pointwise(&arguments)
    }

    /// The `channels` of `a` and `b` in turn, a0, b0, a1, b1, …, on `rows` rows.
    package func interleave(_ a: Rows, _ b: Rows, rows: Int, channels: Int, into y: Rows) {
        var arguments = cetnet_interleave(
            a: a.base, a_stride: a.stride, b: b.base, b_stride: b.stride, rows: rows, channels: channels, y: y.base,
            y_stride: y.stride)
        functions.pointee.interleave(&arguments)
    }
}

/// Changing between the planes of PyTorch's (channels, height, width) and the engine's positions with channels innermost.
package enum Layout {
    /// `positions` of (channels, tokens) to (tokens, channels).
    package static func planesToPositions(
        _ x: UnsafePointer<Float>, tokens: Int, channels: Int, positions: Range<Int>,
        into y: UnsafeMutablePointer<Float>
    ) {
        cetnet_planes_to_positions(x, tokens, channels, positions.lowerBound, positions.count, y)
    }

    /// `positions` of (tokens, channels) to (channels, tokens).
    package static func positionsToPlanes(
        _ x: Rows, tokens: Int, channels: Int, positions: Range<Int>, into y: UnsafeMutablePointer<Float>
    ) {
        cetnet_positions_to_planes(x.base, x.stride, tokens, channels, positions.lowerBound, positions.count, y)
    }
}
