/// One axis of a bilinear resize as PyTorch's `interpolate` has it with `align_corners=False`: output position i lies
/// at max(0, (i + ½) · n / m − ½), between two positions of the input.
struct BilinearAxis: Sendable {
    /// The position below.
    let lower: [Int]
    /// The next one, or the same at the end.
    let upper: [Int]
    /// How much of the result is the upper one's.
    let weight: [Float]

    init(from source: Int, to target: Int) {
        let scale = Float(source) / Float(target)
        let places = (0..<target).map { max(0, (Float($0) + 0.5) * scale - 0.5) }
        lower = places.map { min(Int($0), source - 1) }
        upper = lower.map { min($0 + 1, source - 1) }
        weight = zip(places, lower).map { $0 - Float($1) }
    }
}

/// The logits of one tile, positions by labels, and rows of what they are in the tile's size.
struct LogitMap: Sendable {
    let size: ImageSize
    let labels: Int
    /// height × width × labels.
    let values: [Float]

    /// One image's logits as a model gives them, (labels, height, width).
    init(planes: ArraySlice<Float>, size: ImageSize) {
        self.size = size
        let (area, count) = (size.area, planes.count / size.area)
        labels = count
        values = planes.withUnsafeBufferPointer { planes in
            [Float](unsafeUninitializedCapacity: planes.count) { values, filled in
                for label in 0..<count {
                    for position in 0..<area { values[position * count + label] = planes[label * area + position] }
                }
                filled = planes.count
            }
        }
    }

    /// Adds to `row`, (columns, labels), the logits of row `y` and of some columns of the map in another size.
    func add(
        row y: Int, _ rows: BilinearAxis, columns: Range<Int>, _ axis: BilinearAxis, to row: UnsafeMutablePointer<Float>
    ) {
        values.withUnsafeBufferPointer { values in
            let top = values.baseAddress! + rows.lower[y] * size.width * labels
            let bottom = values.baseAddress! + rows.upper[y] * size.width * labels
            let weight = rows.weight[y]
            for (index, column) in columns.enumerated() {
                let (left, right) = (axis.lower[column] * labels, axis.upper[column] * labels)
                let (across, output) = (axis.weight[column], row + index * labels)
                for label in 0..<labels {
                    let upper = (1 - across) * top[left + label] + across * top[right + label]
                    let lower = (1 - across) * bottom[left + label] + across * bottom[right + label]
                    output[label] += (1 - weight) * upper + weight * lower
                }
            }
        }
    }
}
