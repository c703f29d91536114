import CETNetOperators

/// Weights of a depthwise convolution: kernel × kernel × channels, then one bias per channel.
struct DepthwiseWeights: @unchecked Sendable {
    // Into the network's weight memory, read-only once frozen.
    let weights: UnsafePointer<Float>
    let bias: UnsafePointer<Float>
}

/// Scale and shift of a LayerNorm that could not be folded into a linear layer.
struct NormWeights: @unchecked Sendable {
    let weight: UnsafePointer<Float>
    let bias: UnsafePointer<Float>
}

/// Tables of window attention.
struct AttentionWeights: @unchecked Sendable {
    /// heads × tokens × scoreStride: the relative position bias of every pair, gathered from its table.
    let bias: UnsafePointer<Float>
    /// 3 × tokens × scoreStride: what shifted windows add at the bottom edge, the right edge, and the corner.
    let masks: UnsafePointer<Float>?
    /// Query, key and value of a padded token: the projection's bias, queries scaled.
    let paddedRow: UnsafePointer<Float>
    /// Width of a row of scores.
    let scoreStride: Int
}

/// All weights of a network by the name of the layer they belong to.
struct FrozenWeights: Sendable {
    var matrices: [String: MatrixWeights] = [:]
    var depthwise: [String: DepthwiseWeights] = [:]
    var norms: [String: NormWeights] = [:]
    var attentions: [String: AttentionWeights] = [:]
}
