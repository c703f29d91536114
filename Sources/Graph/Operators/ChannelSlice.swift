/// Neighbouring channels of its input.
struct ChannelSlice: OperatorDefinition {
    var channels: Range<Int>

    var name: String { "channel slice" }
    var isView: Bool { true }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        guard !channels.isEmpty, channels.lowerBound >= 0, channels.upperBound <= inputs[0].channels else {
            throw ShapeMismatch("of channels \(channels) of \(inputs[0].channels)")
        }
        return inputs[0].with(channels: channels.count)
    }
}
