/// Zeros to the right of the map and below it, so that both sides are multiples of a number.
///
///     H×W×C → multiple·⌈H/multiple⌉×multiple·⌈W/multiple⌉×C
public struct ZeroPadding: OperatorDefinition {
    public var multiple: Int

    public init(multiple: Int) { self.multiple = multiple }

    public var name: String { "zero padding" }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        guard inputs[0].classTokens == 0 else { throw ShapeMismatch("has no place for a class token") }
        func padded(_ length: Int) -> Int { (length + multiple - 1) / multiple * multiple }
        return TensorShape(
            height: padded(inputs[0].height), width: padded(inputs[0].width), channels: inputs[0].channels)
    }
}
