/// Trained vectors that are added to the tokens of a map, one for each position of a grid; for maps of another size
/// they are interpolated bilinearly (as `torch.nn.functional.interpolate` does with `align_corners=False`).
public struct PositionEmbedding: OperatorDefinition {
    public var channels: Int
    /// Positions of the map that it was trained for.
    public var grid: ImageSize
    /// 1 if the class token has a vector, which stands in front of the grid's and is not interpolated, else 0.
    public var classTokens: Int
    /// Shape `(1, classTokens + grid.area, channels)`.
    public var parameter: Parameter

    public init(name: String, channels: Int, grid: ImageSize, classTokens: Int) {
        self.channels = channels
        self.grid = grid
        self.classTokens = classTokens
        parameter = Parameter(name: name, shape: [1, classTokens + grid.area, channels], role: .positionBias)
    }

    public var name: String { "position embedding" }

    public var parameters: [Parameter] { [parameter] }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: channels, inputs)
        guard inputs[0].classTokens == classTokens else { throw ShapeMismatch("takes other tokens than \(inputs[0])") }
        return inputs[0]
    }
}
