import CETNetGraph
import Foundation

/// Attention and positions, as their definitions say: maps are really padded, rolled and cut.
extension GraphInterpreter {
    /// softmax over `keys` of `score`, then the weighted sum of their `value`s.
    private func attend(
        keys: [Int], score: (Int) -> Double, value: (Int) -> Double
    ) -> Double {
        let scores = keys.map(score)
        let largest = scores.max()!
        let weights = scores.map { exp($0 - largest) }
        return zip(weights, keys).reduce(0) { $0 + $1.0 * value($1.1) } / weights.reduce(0, +)
    }

    func attend(_ attention: WindowAttention, _ x: [Double], _ shape: TensorShape) -> [Double] {
        let (w, c, d) = (attention.windowSize, attention.channels, attention.headDimension)
        let (table, bias) = (tensor(attention.relativePositionBiasTable), tensor(attention.qkvBias))
        /// One axis: its padded length and its shift.
        func axis(_ length: Int) -> (padded: Int, shift: Int) {
            let padded = (length + w - 1) / w * w
            return (padded, padded <= w && !attention.alwaysShifts ? 0 : attention.shift)
        }
        func region(_ position: Int, _ axis: (padded: Int, shift: Int)) -> Int {
            guard axis.shift > 0 else { return 0 }
            return position < axis.padded - w ? 0 : position < axis.padded - axis.shift ? 1 : 2
        }
        let (rows, columns) = (axis(shape.height), axis(shape.width))
        var output = [Double](repeating: .nan, count: shape.tokens * c)
        // Positions of the rolled map, and the token that each holds: padding holds the bias.
        func token(_ row: Int, _ column: Int) -> Int? {
            let r = (row + rows.shift) % rows.padded, k = (column + columns.shift) % columns.padded
            return r < shape.height && k < shape.width ? r * shape.width + k : nil
        }
        func qkv(_ token: Int?, _ channel: Int) -> Double { token.map { x[$0 * 3 * c + channel] } ?? bias[channel] }
        for row in 0..<rows.padded {
            for column in 0..<columns.padded {
                guard let query = token(row, column) else { continue }
                let (top, left) = (row / w * w, column / w * w)
                let keys = Array(0..<w * w)
                for head in 0..<attention.heads {
                    for channel in head * d..<(head + 1) * d {
                        output[query * c + channel] = attend(keys: keys) { key in
                            let (r, k) = (top + key / w, left + key % w)
                            let product = (head * d..<(head + 1) * d).reduce(0.0) {
                                $0 + qkv(query, $1) * qkv(token(r, k), c + $1)
                            }
                            let index = (row - r + w - 1) * (2 * w - 1) + column - k + w - 1
                            let isSame =
                                region(r, rows) == region(row, rows) && region(k, columns) == region(column, columns)
                            return product / Double(d).squareRoot() + table[index * attention.heads + head]
                                + (isSame ? 0 : -100)
                        } value: { key in
                            qkv(token(top + key / w, left + key % w), 2 * c + channel)
                        }
                    }
                }
            }
        }
        return output
    }

    func attend(_ attention: GlobalAttention, _ inputs: [[Double]], _ shapes: [TensorShape]) -> [Double] {
        let (c, d) = (attention.channels, attention.headDimension)
        let isPacked = inputs.count == 2
        func key(_ token: Int, _ channel: Int) -> Double { inputs[1][token * shapes[1].channels + channel] }
        func value(_ token: Int, _ channel: Int) -> Double {
            isPacked ? key(token, c + channel) : inputs[2][token * c + channel]
        }
        return (0..<shapes[0].count).map { index in
            let (query, channel) = (index / c, index % c)
            let head = channel / d * d
            return attend(keys: Array(0..<shapes[1].tokens)) { token in
                (head..<head + d).reduce(0.0) { $0 + inputs[0][query * c + $1] * key(token, $1) }
                    * Double(attention.scale)
            } value: {
                value($0, channel)
            }
        }
    }

    func attend(_ attention: CrossShapedAttention, _ x: [Double], _ shape: TensorShape) -> [Double] {
        let (c, d) = (attention.channels, attention.headDimension)
        let padding = tensor(attention.qkvBias)
        var output = [Double](repeating: .nan, count: shape.tokens * c)
        var firstHead = 0
        for branch in attention.branches {
            let (filter, bias) = (tensor(branch.weight), tensor(branch.bias))
            /// The rows and columns of the stripe around a position, beyond the map too.
            func stripe(_ row: Int, _ column: Int) -> (rows: Range<Int>, columns: Range<Int>) {
                switch branch.stripe {
                case .vertical(let width): (0..<shape.height, column / width * width..<column / width * width + width)
                case .horizontal(let width): (row / width * width..<row / width * width + width, 0..<shape.width)
                case .map: (0..<shape.height, 0..<shape.width)
                }
            }
            func qkv(_ row: Int, _ column: Int, _ channel: Int) -> Double {
                row < shape.height && column < shape.width
                    ? x[(row * shape.width + column) * 3 * c + channel] : padding[channel]
            }
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    let (rows, columns) = stripe(row, column)
                    let keys = Array(0..<rows.count * columns.count)
                    func place(_ key: Int) -> (Int, Int) {
                        (rows.lowerBound + key / columns.count, columns.lowerBound + key % columns.count)
                    }
                    for channel in firstHead * d..<(firstHead + branch.heads) * d {
                        let head = channel / d * d
                        var sum = attend(keys: keys) { key in
                            let (r, k) = place(key)
                            return (head..<head + d).reduce(0.0) { $0 + qkv(row, column, $1) * qkv(r, k, c + $1) }
                                / Double(d).squareRoot()
                        } value: { key in
                            let (r, k) = place(key)
                            return qkv(r, k, 2 * c + channel)
                        }
                        // Locally enhanced positional encoding, which sees zeros beyond the stripe.
                        let own = channel - firstHead * d
                        sum += bias[own]
                        for i in 0..<3 {
                            for j in 0..<3 where rows.contains(row + i - 1) && columns.contains(column + j - 1) {
                                sum += filter[own * 9 + i * 3 + j] * qkv(row + i - 1, column + j - 1, 2 * c + channel)
                            }
                        }
                        output[(row * shape.width + column) * c + channel] = sum
                    }
                }
            }
            firstHead += branch.heads
        }
        return output
    }

    /// One vector per token of a map of `size`, the class token's last.
    func positions(_ embedding: PositionEmbedding, size: ImageSize) -> [Double] {
        let values = tensor(embedding.parameter)
        let front = embedding.classTokens * embedding.channels
        return resize(Array(values[front...]), from: embedding.grid, to: size, channels: embedding.channels)
            + values[..<front]
    }

    /// A map in another size, bilinearly, as `torch.nn.functional.interpolate` does with `align_corners=False`.
    func resize(_ values: [Double], from grid: ImageSize, to size: ImageSize, channels: Int) -> [Double] {
        func interpolated(_ row: Double, _ column: Double, _ channel: Int) -> Double {
            func at(_ r: Int, _ c: Int) -> Double {
                values[(min(r, grid.height - 1) * grid.width + min(c, grid.width - 1)) * channels + channel]
            }
            let (r, c) = (Int(row), Int(column))
            let (v, h) = (row - Double(r), column - Double(c))
            return (1 - v) * ((1 - h) * at(r, c) + h * at(r, c + 1)) + v
                * ((1 - h) * at(r + 1, c) + h * at(r + 1, c + 1))
        }
        var result: [Double] = []
        for row in 0..<size.height {
            for column in 0..<size.width {
                let y = max(0, (Double(row) + 0.5) * Double(grid.height) / Double(size.height) - 0.5)
                let x = max(0, (Double(column) + 0.5) * Double(grid.width) / Double(size.width) - 0.5)
                result += (0..<channels).map { interpolated(y, x, $0) }
            }
        }
        return result
    }
}
