/// What comes in from outside: an image, or what another graph has computed.
public struct Input: OperatorDefinition {
    /// What whoever runs the graph calls it, for instance `image`.
    public var label: String
    /// Of one element of a batch.
    public var shape: TensorShape

    public var name: String { "input" }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(0, inputs)
        return shape
    }
}
