/// `torch.nn.AdaptiveAvgPool2d`: the mean of each of `side` × `side` bins that cover the map.
///
/// Bin i of an axis of n positions is [⌊i·n/side⌋, ⌈(i+1)·n/side⌉): bins overlap where n is no multiple of `side`, and
/// repeat positions where it is smaller.
///
///     H×W×C → side×side×C
public struct AdaptiveAveragePooling: OperatorDefinition {
    public var side: Int

    public init(side: Int) { self.side = side }

    /// The positions of a bin on an axis of `length`.
    public func bin(_ index: Int, length: Int) -> Range<Int> {
        index * length / side..<((index + 1) * length + side - 1) / side
    }

    public var name: String { "adaptive average pooling" }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        guard inputs[0].classTokens == 0 else { throw ShapeMismatch("has no place for a class token") }
        return TensorShape(height: side, width: side, channels: inputs[0].channels)
    }
}
