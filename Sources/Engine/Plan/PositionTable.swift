import CETNetGraph
import CETNetOperators

/// Position embeddings for the tokens of one map size, the class token's vector last.
final class PositionTable: @unchecked Sendable {
    // Written by the initialiser only.
    private let values: UnsafeMutablePointer<Float>
    private let channels: Int
    private let ownsValues: Bool

    /// - Parameter trained: grid.area × channels, then the class token's vector; must outlive the table.
    init(_ embedding: PositionEmbedding, trained: UnsafePointer<Float>, size: ImageSize) {
        channels = embedding.channels
        ownsValues = size != embedding.grid
        guard ownsValues else {
            values = UnsafeMutablePointer(mutating: trained)
            return
        }
        values = .allocate(capacity: (size.area + embedding.classTokens) * channels)
        let rows = Self.taps(from: embedding.grid.height, to: size.height)
        let columns = Self.taps(from: embedding.grid.width, to: size.width)
        var output = values
        for row in rows {
            for column in columns {
                func vector(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
                    trained + (row * embedding.grid.width + column) * channels
                }
                let (a, b) = (vector(row.first, column.first), vector(row.first, column.second))
                let (c, d) = (vector(row.second, column.first), vector(row.second, column.second))
                for channel in 0..<channels {
                    let upper = a[channel] + column.weight * (b[channel] - a[channel])
                    let lower = c[channel] + column.weight * (d[channel] - c[channel])
                    output[channel] = upper + row.weight * (lower - upper)
                }
                output += channels
            }
        }
        if embedding.classTokens > 0 {
            output.update(from: trained + embedding.grid.area * channels, count: channels)
        }
    }

    deinit { if ownsValues { values.deallocate() } }

    func rows(from first: Int) -> Rows { Rows(values + first * channels, stride: channels) }

    /// For each of `to` positions the two of `from` that it lies between, and the second's weight: pixel centres are
    /// aligned, and beyond the first and last centre the edge's value goes on.
    private static func taps(from: Int, to: Int) -> [(first: Int, second: Int, weight: Float)] {
        (0..<to).map { position in
            let source = max(0, (Double(position) + 0.5) * Double(from) / Double(to) - 0.5)
            let first = min(Int(source), from - 1)
            return (first, min(first + 1, from - 1), Float(source - Double(first)))
        }
    }
}
