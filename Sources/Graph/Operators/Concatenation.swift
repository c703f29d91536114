/// All its inputs side by side: the channels of the first, then those of the second, and so on.
struct Concatenation: OperatorDefinition {
    var name: String { "concatenation" }
    var isView: Bool { true }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        guard inputs.count >= 2, inputs.allSatisfy({ $0.size == inputs[0].size }) else {
            throw ShapeMismatch("takes two or more maps of one size, not \(inputs)")
        }
        return inputs[0].with(channels: inputs.reduce(0) { $0 + $1.channels })
    }
}
