/// Where the tiles of an image lie: mmsegmentation's `slide_inference`. Tiles of `side` × `side` begin every `stride`
/// pixels; the last of a row or column ends at the image's edge. An image that is smaller than a tile has smaller ones.
struct Tiles {
    let side: Int
    let rows: [Range<Int>]
    let columns: [Range<Int>]

    init(side: Int, stride: Int, image: ImageSize) {
        func axis(_ length: Int) -> [Range<Int>] {
            (0..<max(length - side + stride - 1, 0) / stride + 1).map { index in
                let end = min(index * stride + side, length)
                return max(end - side, 0)..<end
            }
        }
        self.side = side
        (rows, columns) = (axis(image.height), axis(image.width))
    }

    /// Splits an axis where tiles begin and end: inside of a part every pixel is covered by the same tiles, those of the
    /// indices that come with it.
    static func parts(_ tiles: [Range<Int>]) -> [(range: Range<Int>, tiles: Range<Int>)] {
        let edges = Set(tiles.flatMap { [$0.lowerBound, $0.upperBound] }).sorted()
        return zip(edges, edges.dropFirst()).map { start, end in
            let first = tiles.firstIndex { $0.upperBound > start }!
            let last = tiles.lastIndex { $0.lowerBound < end }!
            return (start..<end, first..<last + 1)
        }
    }

    /// Groups of neighbouring parts of the columns that are finished one after another, so that what is kept of tiles
    /// does not grow with the image: a group's parts are covered by at most `limit` tiles, if one part is.
    static func groups(
        _ parts: [(range: Range<Int>, tiles: Range<Int>)], limit: Int
    ) -> [[(range: Range<Int>, tiles: Range<Int>)]] {
        var groups: [[(range: Range<Int>, tiles: Range<Int>)]] = []
        for part in parts {
            if let first = groups.last?.first, part.tiles.upperBound - first.tiles.lowerBound <= limit {
                groups[groups.count - 1].append(part)
            } else {
                groups.append([part])
            }
        }
        return groups
    }
}
