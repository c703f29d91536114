/// The channels of its two inputs in turn, a0, b0, a1, b1, …: what a channel shuffle of two groups (ShuffleNet,
/// arXiv 1707.01083, section 3.1) makes of their concatenation.
struct ChannelShuffle: OperatorDefinition {
    var name: String { "channel shuffle" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(2, inputs)
        guard inputs[0] == inputs[1] else { throw ShapeMismatch("of \(inputs[0]) and \(inputs[1])") }
        return inputs[0].with(channels: 2 * inputs[0].channels)
    }
}
