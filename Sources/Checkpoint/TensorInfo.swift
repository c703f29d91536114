/// Where a tensor is in a file and what it looks like.
public struct TensorInfo: Sendable, Hashable {
    /// The tensor's name in the PyTorch `state_dict`.
    public let name: String
    public let elementType: ElementType
    /// Row-major; empty for a scalar.
    public let shape: [Int]
    /// Its bytes, counted from the start of the file.
    public let byteRange: Range<Int>

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
}
