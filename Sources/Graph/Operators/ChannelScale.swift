/// Its first input, each channel multiplied by that channel of the second, which is 1×1.
struct ChannelScale: OperatorDefinition {
    var name: String { "channel scale" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(2, inputs)
        guard inputs[1] == TensorShape(height: 1, width: 1, channels: inputs[0].channels) else {
            throw ShapeMismatch("of \(inputs[0]) by \(inputs[1])")
        }
        return inputs[0]
    }
}
