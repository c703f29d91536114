/// Multi-head self-attention inside shifted windows (W-MSA and SW-MSA of the Swin Transformer, arXiv 2103.14030,
/// section 3.2), between the `qkv` projection and the output projection.
///
/// Input: the projected tokens, `3 · channels` wide: queries, keys, values, heads contiguous inside each.
/// Output: `channels` wide. Scores are scaled by `(channels / heads)^-0.5`; the relative position bias is added;
/// a shifted window masks pairs from different regions of the map with −100.
///
/// The map is padded with zeros to whole windows *before* the projection, so a padded token's query, key and value
/// are the projection's bias; padded tokens are keys like all others.
public struct WindowAttention: OperatorDefinition {
    public var channels: Int
    public var heads: Int
    /// Side w of the square window, in tokens.
    public var windowSize: Int
    /// Cyclic shift of the map in tokens, asked for on both axes: `⌊w/2⌋` in every second block, else 0. An axis
    /// whose padded size is not larger than the window is not shifted.
    public var shift: Int
    /// Shape `((2w−1)², heads)`, row `(Δrow + w − 1)·(2w − 1) + (Δcolumn + w − 1)`, Δ = query − key.
    public var relativePositionBiasTable: Parameter
    /// Bias of the projection before it: what padded tokens hold. Shape `(3 · channels)`.
    public var qkvBias: Parameter

    public init(name: String, channels: Int, heads: Int, windowSize: Int, shift: Int) {
        self.channels = channels
        self.heads = heads
        self.windowSize = windowSize
        self.shift = shift
        let side = 2 * windowSize - 1
        relativePositionBiasTable = Parameter(
            name: name + ".relative_position_bias_table", shape: [side * side, heads], role: .positionBias)
        qkvBias = Parameter(name: name + ".qkv.bias", shape: [3 * channels], role: .bias)
    }

    /// Channels of one head.
    public var headDimension: Int { channels / heads }

    public var name: String { "window attention" }

    /// The bias that it pads with is the projection's.
    public var parameters: [Parameter] { [relativePositionBiasTable] }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: 3 * channels, inputs)
        return inputs[0].with(channels: channels)
    }

    /// Padding of windows is not counted: H·W tokens with w² keys each.
    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        2 * output.tokens * windowSize * windowSize * channels
    }
}
