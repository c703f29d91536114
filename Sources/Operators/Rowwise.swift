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

    /// Mean over `rows` contiguous rows of `channels`.
    package func meanOverRows(
        _ x: UnsafePointer<Float>, rows: Int, channels: Int, into mean: UnsafeMutablePointer<Float>
    ) {
        var arguments = cetnet_mean_rows(x: x, rows: rows, channels: channels, mean: mean)
        functions.pointee.mean_rows(&arguments)
    }

    /// `c = activation(c) + residual` on `rows` rows of `columns`.
    package func finish(
        _ c: Rows, rows: Int, columns: Int, activation: ActivationKind, residual: Rows?
    ) {
        var arguments = cetnet_epilogue(
            c: c.base, c_stride: c.stride, rows: rows, columns: columns, bias: nil, activation: activation.rawValue,
            residual: residual.map { UnsafePointer($0.base) }, residual_stride: residual?.stride ?? 0)
        functions.pointee.epilogue(&arguments)
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
        _ x: UnsafePointer<Float>, tokens: Int, channels: Int, positions: Range<Int>,
        into y: UnsafeMutablePointer<Float>
    ) {
        cetnet_positions_to_planes(x, tokens, channels, positions.lowerBound, positions.count, y)
    }
}
