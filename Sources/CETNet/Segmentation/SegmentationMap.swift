/// What a segmentation model sees in an image: a label for every pixel.
public struct SegmentationMap: Sendable, Hashable, CustomStringConvertible {
    /// How much of an image a label covers.
    public struct Share: Sendable, Hashable, Codable {
        /// Position of the label in the model's output, from 0.
        public let index: Int
        /// The label's name, from the model's configuration.
        public let label: String
        /// Pixels that have it.
        public let pixels: Int
        /// The same as a part of all pixels, 0...1.
        public let share: Double
    }

    /// Pixels in a row: those of the image.
    public let width: Int
    /// Rows: those of the image.
    public let height: Int
    /// The label of each pixel, as a position in ``labels``; row by row from the top, each from the left.
    public let indices: [Int32]
    /// What the model's labels are called.
    public let labels: [String]

    init(width: Int, height: Int, indices: [Int32], labels: [String]) {
        (self.width, self.height, self.indices, self.labels) = (width, height, indices, labels)
    }

    /// The label of a pixel, as a position in ``labels``.
    public subscript(x x: Int, y y: Int) -> Int {
        precondition((0..<width).contains(x) && (0..<height).contains(y), "no pixel at (\(x), \(y))")
        return Int(indices[y * width + x])
    }

    /// What the label of a pixel is called.
    public func label(x: Int, y: Int) -> String { labels[self[x: x, y: y]] }

    /// The labels that some pixel has, the one of most pixels first; ties by index.
    public var shares: [Share] {
        var counts = [Int](repeating: 0, count: labels.count)
        for index in indices { counts[Int(index)] += 1 }
        return counts.indices.filter { counts[$0] > 0 }.sorted { (-counts[$0], $0) < (-counts[$1], $1) }.map {
            Share(index: $0, label: labels[$0], pixels: counts[$0], share: Double(counts[$0]) / Double(indices.count))
        }
    }

    /// Which pixels have the label at `index`; in the order of ``indices``.
    public func mask(of index: Int) -> [Bool] { indices.map { $0 == Int32(index) } }

    /// For instance `640x480 pixels of 12 labels`.
    public var description: String { "\(width)x\(height) pixels of \(shares.count) labels" }
}
