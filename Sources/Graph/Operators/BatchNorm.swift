/// `torch.nn.BatchNorm2d` with its running statistics.
public struct BatchNorm: OperatorDefinition {
    public var channels: Int
    public var epsilon: Float
    public var weight: Parameter
    public var bias: Parameter
    public var runningMean: Parameter
    public var runningVariance: Parameter

    public init(name: String, channels: Int, epsilon: Float = 1e-5) {
        self.channels = channels
        self.epsilon = epsilon
        weight = Parameter(name: name + ".weight", shape: [channels], role: .scale)
        bias = Parameter(name: name + ".bias", shape: [channels], role: .bias)
        runningMean = Parameter(name: name + ".running_mean", shape: [channels], role: .runningMean)
        runningVariance = Parameter(name: name + ".running_var", shape: [channels], role: .runningVariance)
    }

    public var name: String { "batch norm" }

    public var parameters: [Parameter] { [weight, bias, runningMean, runningVariance] }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: channels, inputs)
        return inputs[0]
    }
}
