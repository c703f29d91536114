/// The sum of its two inputs, which have the same shape.
struct Add: OperatorDefinition {
    var name: String { "add" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(2, inputs)
        guard inputs[0] == inputs[1] else { throw ShapeMismatch("of \(inputs[0]) and \(inputs[1])") }
        return inputs[0]
    }
}
