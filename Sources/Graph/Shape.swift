/// Height and width of an image or feature map, in pixels or tokens.
public struct ImageSize: Sendable, Hashable, CustomStringConvertible {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// A square of `side` × `side`.
    public init(square side: Int) {
        self.init(height: side, width: side)
    }

    /// `height × width`: the number of pixels or tokens.
    public var area: Int { height * width }

    public var description: String { "\(height)x\(width)" }
}

/// The shape of one value of the graph for a single image: `height × width` positions of `channels` numbers,
/// row-major with the channels innermost. A position is a *token* wherever the paper speaks of tokens.
///
/// The batch is not part of a shape: every operator treats the images of a batch alike and apart.
public struct TensorShape: Sendable, Hashable, CustomStringConvertible {
    public var height: Int
    public var width: Int
    public var channels: Int

    public init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// The number of positions, `height × width`.
    public var tokens: Int { height * width }

    /// The number of scalars, `height × width × channels`.
    public var count: Int { tokens * channels }

    public var size: ImageSize { ImageSize(height: height, width: width) }

    /// As many positions of another number of channels.
    public func with(channels: Int) -> TensorShape { TensorShape(height: height, width: width, channels: channels) }

    public var description: String { "\(height)x\(width)x\(channels)" }
}
