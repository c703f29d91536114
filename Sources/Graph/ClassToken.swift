/// A trained token that takes part in attention beside the map's and ends up as a summary of the image.
public struct ClassToken: Sendable, Hashable {
    public var channels: Int
    /// Shape `(1, 1, channels)`.
    public var parameter: Parameter

    public init(name: String, channels: Int) {
        self.channels = channels
        parameter = Parameter(name: name, shape: [1, 1, channels], role: .positionBias)
    }
}

/// Trained vectors that are added to the tokens of a map, one for each position of a grid; for maps of another size
/// they are interpolated bilinearly (as `torch.nn.functional.interpolate` does with `align_corners=False`).
public struct PositionEmbedding: Sendable, Hashable {
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
}
