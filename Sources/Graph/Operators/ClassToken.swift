/// Its input with a trained class token behind it, which takes part in attention beside the map's tokens and ends up as a
/// summary of the image.
public struct ClassToken: OperatorDefinition {
    public var channels: Int
    /// Shape `(1, 1, channels)`.
    public var parameter: Parameter

    public init(name: String, channels: Int) {
        self.channels = channels
        parameter = Parameter(name: name, shape: [1, 1, channels], role: .positionBias)
    }

    public var name: String { "class token" }

    public var parameters: [Parameter] { [parameter] }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: channels, inputs)
        guard inputs[0].classTokens == 0 else { throw ShapeMismatch("finds a class token already there") }
        return inputs[0].with(classTokens: 1)
    }
}

/// Its first input with the class token of the second behind it.
struct CarryClassToken: OperatorDefinition {
    var name: String { "class token" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(2, inputs)
        guard
            inputs[0].classTokens == 0, inputs[1].classTokens == 1, inputs[0].channels == inputs[1].channels
        else { throw ShapeMismatch("cannot put that of \(inputs[1]) behind \(inputs[0])") }
        return inputs[0].with(classTokens: 1)
    }
}

/// The class token of its input; the output is 1×1.
struct TakeClassToken: OperatorDefinition {
    var name: String { "class token" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        guard inputs[0].classTokens == 1 else { throw ShapeMismatch("is not there") }
        return TensorShape(height: 1, width: 1, channels: inputs[0].channels)
    }
}
