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

/// Weights of attention in cross-shaped windows.
struct StripeWeights: @unchecked Sendable {
    /// Of one branch's positional encoding.
    struct Branch: @unchecked Sendable {
        /// heads × 3 (across the stripe) × 3 (along it) × head dimension.
        let weights: UnsafePointer<Float>
        /// heads × head dimension.
        let bias: UnsafePointer<Float>
    }

    let branches: [Branch]
    /// Query, key and value of a padded token: the projection's bias, queries scaled.
    let paddedRow: UnsafePointer<Float>
}

/// What a stage adds to its embedded tokens.
struct StageTokensWeights: @unchecked Sendable {
    let norm: NormWeights?
    let classToken: UnsafePointer<Float>?
    /// One vector per position of the trained grid, the class token's last.
    let positions: UnsafePointer<Float>?
}

/// All weights of a network by the name of the layer they belong to.
struct FrozenWeights: Sendable {
    var matrices: [String: MatrixWeights] = [:]
    var depthwise: [String: DepthwiseWeights] = [:]
    var norms: [String: NormWeights] = [:]
    var attentions: [String: AttentionWeights] = [:]
    var stripes: [String: StripeWeights] = [:]
    var stageTokens: [String: StageTokensWeights] = [:]
}
