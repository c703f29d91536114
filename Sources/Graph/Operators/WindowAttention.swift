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
    /// Cyclic shift of the map in tokens on both axes: `⌊w/2⌋` in every second block, else 0.
    public var shift: Int
    /// Whether an axis is shifted, and tokens of different regions masked, although one window covers all of it, as in
    /// dense models; if not, such an axis is not shifted.
    public var alwaysShifts: Bool
    /// Whether the multiply-adds are those with padding, as published counts of dense models have them and those of
    /// classifiers do not.
    public var countsPadding: Bool
    /// Shape `((2w−1)², heads)`, row `(Δrow + w − 1)·(2w − 1) + (Δcolumn + w − 1)`, Δ = query − key.
    public var relativePositionBiasTable: Parameter
    /// Bias of the projection before it: what padded tokens hold. Shape `(3 · channels)`.
    public var qkvBias: Parameter

    public init(
        name: String, channels: Int, heads: Int, windowSize: Int, shift: Int, alwaysShifts: Bool = false,
        countsPadding: Bool = false
    ) {
        self.channels = channels
        self.heads = heads
        self.windowSize = windowSize
        self.shift = shift
        self.alwaysShifts = alwaysShifts
        self.countsPadding = countsPadding
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

    /// H·W tokens with w² keys each. Where padding counts, so many tokens more, and what the projections before and
    /// behind would do for these, 4C² each; that is computed by no step, as a padded token's projection is known.
    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        func padded(_ length: Int) -> Int { (length + windowSize - 1) / windowSize * windowSize }
        let padding = countsPadding ? padded(output.height) * padded(output.width) - output.tokens : 0
        return 2 * (output.tokens + padding) * windowSize * windowSize * channels + 4 * padding * channels * channels
    }
}
