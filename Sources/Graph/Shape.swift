/// Height and width of an image or feature map, in pixels or tokens.
public struct ImageSize: Sendable, Hashable, Codable, CustomStringConvertible {
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
/// A class token, where there is one, is one more row of `channels` numbers behind the map, so that all that treats
/// tokens alike, such as linear layers, sees one sequence, and all that needs positions finds the map in front.
///
/// The batch is not part of a shape: every operator treats the images of a batch alike and apart.
public struct TensorShape: Sendable, Hashable, CustomStringConvertible {
    public var height: Int
    public var width: Int
    public var channels: Int
    /// 1 where a class token follows the map, else 0.
    public var classTokens: Int

    public init(height: Int, width: Int, channels: Int, classTokens: Int = 0) {
        self.height = height
        self.width = width
        self.channels = channels
        self.classTokens = classTokens
    }

    /// The number of tokens: the positions, `height × width`, and the class token.
    public var tokens: Int { height * width + classTokens }

    /// The number of scalars, `tokens × channels`.
    public var count: Int { tokens * channels }

    /// The map alone, without class token.
    public var map: TensorShape { TensorShape(height: height, width: width, channels: channels) }

    public var size: ImageSize { ImageSize(height: height, width: width) }

    /// As many tokens of another number of channels.
    public func with(channels: Int) -> TensorShape {
        TensorShape(height: height, width: width, channels: channels, classTokens: classTokens)
    }

    /// The same map with a class token behind it, or without.
    func with(classTokens: Int) -> TensorShape {
        TensorShape(height: height, width: width, channels: channels, classTokens: classTokens)
    }

    public var description: String {
        "\(height)x\(width)x\(channels)" + (classTokens > 0 ? " and a class token" : "")
    }
}
