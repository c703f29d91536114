/// Multi-head self-attention in cross-shaped windows with locally enhanced positional encoding (CSWin Transformer,
/// arXiv 2107.00652, sections 3.2 and 3.3), between the `qkv` projection and the output projection.
///
/// Input: the projected tokens, `3 · channels` wide: queries, keys, values, heads contiguous inside each.
/// Output: `channels` wide. Each branch has its share of the heads and lets them attend in stripes of its own:
///
///     softmax(q · kᵀ · (channels / heads)^-0.5) · v + lepe(v)       inside each stripe
///
/// `lepe` is a 3×3 depthwise convolution with bias that sees zeros beyond the stripe.
///
/// A map that is no multiple of the stripe's width is padded with zeros right or below *before* the projection, so a
/// padded token's query, key and value are the projection's bias; padded tokens are keys and neighbours like all
/// others.
public struct CrossShapedAttention: OperatorDefinition {
    /// Heads that share one kind of stripe.
    public struct Branch: Sendable, Hashable {
        public var stripe: Stripe
        /// Heads of this branch; those of earlier branches come before them.
        public var heads: Int
        /// Of `lepe`. Shape `(heads · headDimension, 1, 3, 3)`.
        public var weight: Parameter
        /// Of `lepe`. Shape `(heads · headDimension)`.
        public var bias: Parameter
    }

    /// The part of the map that a token attends to.
    public enum Stripe: Sendable, Hashable {
        /// `width` columns of the map, over all of its rows.
        case vertical(width: Int)
        /// `width` rows of the map, over all of its columns.
        case horizontal(width: Int)
        /// The whole map.
        case map
    }

    public var channels: Int
    public var heads: Int
    public var branches: [Branch]
    /// Bias of the projection before it: what padded tokens hold. Shape `(3 · channels)`.
    public var qkvBias: Parameter

    /// - Parameters:
    ///   - name: path of the attention; tensors are `name.lepe.{branch}.{weight,bias}`.
    ///   - heads: a multiple of the number of stripes.
    ///   - stripes: one kind for each branch; branches have equally many heads.
    public init(name: String, channels: Int, heads: Int, stripes: [Stripe]) {
        self.channels = channels
        self.heads = heads
        let share = channels / stripes.count
        branches = stripes.enumerated().map { index, stripe in
            Branch(
                stripe: stripe, heads: heads / stripes.count,
                weight: Parameter(name: "\(name).lepe.\(index).weight", shape: [share, 1, 3, 3], role: .weight),
                bias: Parameter(name: "\(name).lepe.\(index).bias", shape: [share], role: .bias))
        }
        qkvBias = Parameter(name: name + ".qkv.bias", shape: [3 * channels], role: .bias)
    }

    /// Channels of one head.
    public var headDimension: Int { channels / heads }

    public var name: String { "cross-shaped attention" }

    /// The bias that it pads with is the projection's.
    public var parameters: [Parameter] { branches.flatMap { [$0.weight, $0.bias] } }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: 3 * channels, inputs)
        guard inputs[0].classTokens == 0 else { throw ShapeMismatch("has no place for a class token") }
        return inputs[0].with(channels: channels)
    }

    /// The two products of attention and `lepe`. Padding is not counted: H·W tokens with a stripe's keys each.
    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        branches.reduce(0) { sum, branch in
            let keys =
                switch branch.stripe {
                case .vertical(let width): output.height * width
                case .horizontal(let width): width * output.width
                case .map: output.tokens
                }
            return sum + output.tokens * branch.heads * headDimension * (2 * keys + 9)
        }
    }
}
