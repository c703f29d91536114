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

/// The logits of one pass of a segmentation model, positions by labels, and rows of what they are in another size.
///
/// Rows are made one at a time from the few that they lie between, so that logits of an image's size never exist.
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
            blend(top, bottom, rows.weight[y], columns, axis, labels, row)
        }
    }
}

/// Adds to `row` what lies between two rows of (positions, labels), at some columns of an axis.
private func blend(
    _ top: UnsafePointer<Float>, _ bottom: UnsafePointer<Float>, _ weight: Float, _ columns: Range<Int>,
    _ axis: BilinearAxis, _ labels: Int, _ row: UnsafeMutablePointer<Float>
) {
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

/// Logits resized to the size of the model's input, and then to that of the image: two resizes, as mmsegmentation and
/// Transformers do them.
struct ResizedLogits {
    private let map: LogitMap
    private let input: ImageSize
    private let rows: (toInput: BilinearAxis, toImage: BilinearAxis)
    private let columns: (toInput: BilinearAxis, toImage: BilinearAxis)

    init(_ map: LogitMap, through input: ImageSize, to image: ImageSize) {
        (self.map, self.input) = (map, input)
        rows = (
            BilinearAxis(from: map.size.height, to: input.height), BilinearAxis(from: input.height, to: image.height)
        )
        columns = (
            BilinearAxis(from: map.size.width, to: input.width), BilinearAxis(from: input.width, to: image.width)
        )
    }

    /// Calls `body` with each of some rows of the image: logits, (width, labels).
    func forEachRow(_ range: Range<Int>, _ body: (_ y: Int, _ logits: UnsafePointer<Float>) -> Void) {
        let (labels, width) = (map.labels, columns.toImage.lower.count)
        // The rows of the input's size that the last one lay between, by the parity of their numbers.
        var kept = [[Float]](repeating: [Float](repeating: 0, count: input.width * labels), count: 2)
        var numbers = [-1, -1]
        var row = [Float](repeating: 0, count: width * labels)
        for y in range {
            let needed = [rows.toImage.lower[y], rows.toImage.upper[y]]
            for number in needed where numbers[number % 2] != number {
                kept[number % 2].withUnsafeMutableBufferPointer {
                    $0.update(repeating: 0)
                    map.add(row: number, rows.toInput, columns: 0..<input.width, columns.toInput, to: $0.baseAddress!)
                }
                numbers[number % 2] = number
            }
            row.withUnsafeMutableBufferPointer { row in
                row.update(repeating: 0)
                kept[needed[0] % 2].withUnsafeBufferPointer { top in
                    kept[needed[1] % 2].withUnsafeBufferPointer { bottom in
                        blend(
                            top.baseAddress!, bottom.baseAddress!, rows.toImage.weight[y], 0..<width, columns.toImage,
                            labels, row.baseAddress!)
                    }
                }
                body(y, UnsafePointer(row.baseAddress!))
            }
        }
    }
}
