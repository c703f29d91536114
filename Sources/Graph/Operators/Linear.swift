/// `torch.nn.Linear` applied to each token: `y = x Wᵀ + b`.
public struct Linear: OperatorDefinition {
    public var inputChannels: Int
    public var outputChannels: Int
    /// Shape `(outputChannels, inputChannels)`.
    public var weight: Parameter
    /// Shape `(outputChannels)`.
    public var bias: Parameter?

    public init(name: String, inputChannels: Int, outputChannels: Int, bias: Bool = true) {
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        weight = Parameter(name: name + ".weight", shape: [outputChannels, inputChannels], role: .weight)
        self.bias = bias ? Parameter(name: name + ".bias", shape: [outputChannels], role: .bias) : nil
    }

    public var name: String { "linear" }

    public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: inputChannels, inputs)
        return inputs[0].with(channels: outputChannels)
    }

    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        output.tokens * inputChannels * outputChannels
    }
}
