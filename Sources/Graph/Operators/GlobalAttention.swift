/// Multi-head attention of every query to every key, between the projections of its inputs and the output projection
/// (Vaswani et al., arXiv 1706.03762, section 3.2): what PVT (arXiv 2102.12122) and CvT (arXiv 2103.15808) do, with
/// fewer keys than queries.
///
/// Inputs: queries, `channels` wide; then keys and values, packed into one value `2 · channels` wide, or as two. Heads
/// are contiguous inside each. A class token is a token like all others. Output: like the queries.
public struct GlobalAttention: OperatorDefinition {
    public var channels: Int
    public var heads: Int
    /// What scores are multiplied by.
    public var scale: Float

    public init(channels: Int, heads: Int, scale: Float) {
        self.channels = channels
        self.heads = heads
        self.scale = scale
    }

    /// Channels of one head.
    public var headDimension: Int { channels / heads }

    public var name: String { "global attention" }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        guard
            [[channels, 2 * channels], [channels, channels, channels]].contains(inputs.map(\.channels)),
            inputs.dropFirst().allSatisfy({ $0.tokens == inputs[1].tokens })
        else { throw ShapeMismatch("takes queries, keys and values of \(channels) channels, not \(inputs)") }
        return inputs[0]
    }

    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        2 * output.tokens * inputs[1].tokens * channels
    }
}
