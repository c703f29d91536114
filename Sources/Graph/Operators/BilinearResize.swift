/// `torch.nn.functional.interpolate` with `mode="bilinear"` and `align_corners=False`, to a given size.
///
/// Output position i of an axis samples the input at max(0, (i + ½) · n / m − ½), where n and m are the input's and the
/// output's length: between the position below it and the next, or the last one.
///
///     H×W×C → size×C
public struct BilinearResize: OperatorDefinition {
    /// Of the output, for the image size that the graph was built for.
    public var size: ImageSize

    public init(size: ImageSize) { self.size = size }

    public var name: String { "bilinear resize" }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        guard inputs[0].classTokens == 0 else { throw ShapeMismatch("has no place for a class token") }
        return TensorShape(height: size.height, width: size.width, channels: inputs[0].channels)
    }
}
