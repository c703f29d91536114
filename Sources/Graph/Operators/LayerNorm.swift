/// `torch.nn.LayerNorm` over the channels of each token.
public struct LayerNorm: OperatorDefinition {
    public var channels: Int
    public var epsilon: Float
    public var weight: Parameter
    public var bias: Parameter

    public init(name: String, channels: Int, epsilon: Float = 1e-5) {
        self.channels = channels
        self.epsilon = epsilon
        weight = Parameter(name: name + ".weight", shape: [channels], role: .scale)
        bias = Parameter(name: name + ".bias", shape: [channels], role: .bias)
    }

    public var name: String { "layer norm" }

    public var parameters: [Parameter] { [weight, bias] }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: channels, inputs)
        return inputs[0]
    }
}
