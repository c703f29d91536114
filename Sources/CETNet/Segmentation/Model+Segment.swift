import CETNetEngine
import CETNetMemory
import CETNetPreprocessing

/// How a segmentation model sees an image.
public enum SegmentationMode: Sendable, Hashable {
    /// In one pass: squashed to the model's size, labels resized to the image's.
    case whole
    /// At its own size, in overlapping squares of `side` pixels that begin every `stride` pixels, as mmsegmentation's
    /// sliding window does; where squares overlap their logits are averaged. For images too large for one pass: beside
    /// the image and its labels, memory does not grow with it.
    case tiles(side: Int, stride: Int)
}

extension Model {
    /// Labels every pixel of an image.
    /// - Parameters:
    ///   - image: of any size.
    ///   - mode: in one pass, or in tiles.
    /// - Returns: a label for each pixel of the image, in the image's own size.
    /// - Throws: what reading the image throws (`ImageError` for files); ``ModelError/task(_:expected:)`` for a model
    ///   that does not segment; ``ModelError/preprocessing(image:_:)`` if it cannot be prepared;
    ///   ``ModelError/imageSize(_:allowed:)`` and ``ModelError/option(name:allowed:found:)`` for tiles that cannot be
    ///   run; ``ModelError/notFinite(image:)``; ``ModelError/outOfMemory(bytes:)``.
    public func segment(_ image: Image, mode: SegmentationMode = .whole) throws -> SegmentationMap {
        try require(.segmentation)
        let pixels = try image.pixelBuffer()
        let labels = configuration.numLabels
        let indices = try [Int32](count: pixels.pixelCount) { indices in
            try answer(pixels, of: image, mode, PixelLabels(indices, width: pixels.width, labels: labels))
        }
        return SegmentationMap(
            width: pixels.width, height: pixels.height, indices: indices, labels: configuration.labels)
    }

    /// The probability of each label at each pixel of an image.
    /// - Returns: (labels, height, width) in the image's own size, softmax over the labels: for 150 labels 600 bytes a
    ///   pixel.
    /// - Throws: what ``segment(_:mode:)-(Image,_)`` throws.
    public func segmentationProbabilities(_ image: Image, mode: SegmentationMode = .whole) throws -> Tensor {
        try require(.segmentation)
        let pixels = try image.pixelBuffer()
        let size = ImageSize(height: pixels.height, width: pixels.width)
        let labels = configuration.numLabels
        var probabilities = try Tensor(zeroed: [labels, size.height, size.width])
        try probabilities.withUnsafeMutableValues { values throws in
            try answer(pixels, of: image, mode, PixelProbabilities(values, size: size, labels: labels))
        }
        return probabilities
    }

    /// Labels every pixel of images; one that cannot be read does not stop the others.
    /// - Returns: for each image, in order, its labels or what ``segment(_:mode:)-(Image,_)`` throws for it.
    /// - Throws: ``ModelError/task(_:expected:)`` for a model that does not segment.
    public func segment(
        _ images: some Sequence<Image>, mode: SegmentationMode = .whole
    ) throws(ModelError) -> [Result<SegmentationMap, any Error>] {
        try require(.segmentation)
        return images.map { image in Result { try segment(image, mode: mode) } }
    }

    /// Labels every pixel of images and hands out each result, in order, as soon as it is there.
    ///
    /// Images are taken from the sequence as they are needed, so it may be endless.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - mode: in one pass or in tiles.
    ///   - body: called with each image's index and result. What it throws ends the call.
    /// - Throws: what `body` throws, and ``ModelError/task(_:expected:)`` for a model that does not segment.
    public func segment(
        _ images: some Sequence<Image>, mode: SegmentationMode = .whole,
        _ body: (Int, Result<SegmentationMap, any Error>) throws -> Void
    ) throws {
        try require(.segmentation)
        for (index, image) in images.enumerated() { try body(index, Result { try segment(image, mode: mode) }) }
    }

    /// Labels every pixel of normalised images.
    /// - Parameter batch: (batch, 3, height, width); any size from 32×32.
    /// - Returns: for each image, a label for each pixel of the batch.
    /// - Throws: ``ModelError``: for a wrong shape or another task, and ``ModelError/notFinite(image:)``.
    public func segment(_ batch: Tensor) throws(ModelError) -> [SegmentationMap] {
        try require(.segmentation)
        return try segmentations(logits: logits(batch), imageSize: imageSize(of: batch))
    }

    /// The labels of each pixel of images of a size, from their logits, (batch, labels, ⌈height/4⌉, ⌈width/4⌉).
    package func segmentations(logits: Tensor, imageSize: ImageSize) throws(ModelError) -> [SegmentationMap] {
        var maps: [SegmentationMap] = []
        for image in 0..<logits.shape[0] {
            var indices = try passOnOutOfMemory { () throws(OutOfMemoryError) in
                try [Int32](0, count: imageSize.area)
            }
            let result = indices.withUnsafeMutableBufferPointer { indices in
                let labels = PixelLabels(indices, width: imageSize.width, labels: logits.shape[1])
                return Result { () throws(ModelError) in
                    try answer(logits, row: image, through: imageSize, to: imageSize, labels)
                }
            }
            try result.get()
            maps.append(
                SegmentationMap(
                    width: imageSize.width, height: imageSize.height, indices: indices, labels: configuration.labels))
        }
        return maps
    }

    // MARK: Passes

    private func answer(
        _ pixels: PixelBuffer, of image: Image, _ mode: SegmentationMode, _ answers: some PixelAnswers
    ) throws {
        switch mode {
        case .whole:
            let input: Tensor
            do {
                input = try preprocess(.pixels(pixels, name: image.name))
            } catch ModelError.preprocessing(_, let error) {
                throw ModelError.preprocessing(image: image.name, error)
            }
            try answer(
                logits(input), row: 0, through: ImageSize(square: configuration.imageSize),
                to: ImageSize(height: pixels.height, width: pixels.width), answers)
        case .tiles(let side, let stride):
            try answer(pixels, side: side, stride: stride, answers)
        }
    }

    private func answer(
        _ logits: Tensor, row: Int, through input: ImageSize, to image: ImageSize, _ answers: some PixelAnswers
    ) throws(ModelError) {
        let planes = logits[row: row]
        guard planes.allSatisfy(\.isFinite) else { throw .notFinite(image: row) }
        let map = LabelMap(
            from: ImageSize(height: logits.shape[2], width: logits.shape[3]), classes: logits.shape[1], through: input,
            to: image, kernels: frozen.kernels)
        try passOnOutOfMemory { () throws(OutOfMemoryError) in
            let result = planes.withUnsafeBufferPointer { planes in
                Result { () throws(OutOfMemoryError) in
                    try answers.take(planes.baseAddress!, map, threads: threads)
                }
            }
            try result.get()
        }
    }

    /// Bytes of tiles' logits that are kept.
    private static let keptBytes = 256 << 20

    /// Tile by tile. The image is finished from the left to the right in strips, each from top to bottom, so that only
    /// the tiles that a strip and a row of tiles have in common are kept; those of two strips run twice.
    private func answer(_ pixels: PixelBuffer, side: Int, stride: Int, _ answers: some PixelAnswers) throws(ModelError)
    {
        try InputLimits.check(ImageSize(square: side))
        guard (1...side).contains(stride) else {
            throw .option(name: "stride", allowed: "1 to \(side), the side of a tile", found: stride)
        }
        let image = ImageSize(height: pixels.height, width: pixels.width)
        let tiles = Tiles(side: side, stride: stride, image: image)
        let tile = ImageSize(height: tiles.rows[0].count, width: tiles.columns[0].count)
        try InputLimits.check(tile)
        let shape = logitsShape(imageSize: tile)
        let axes = (
            rows: BilinearAxis(from: shape[1], to: tile.height), columns: BilinearAxis(from: shape[2], to: tile.width)
        )
        let tileBytes = shape.reduce(MemoryLayout<Float>.stride, *)
        let (rowParts, labels) = (Tiles.parts(tiles.rows), configuration.numLabels)
        let tilesAbove = rowParts.map(\.tiles.count).max()!
        let groups = Tiles.groups(Tiles.parts(tiles.columns), limit: max(1, Self.keptBytes / tileBytes / tilesAbove))
        for group in groups {
            var kept: [Int: [Int: LogitMap]] = [:]
            for rows in rowParts {
                kept = kept.filter { $0.key >= rows.tiles.lowerBound }
                for row in rows.tiles where kept[row] == nil {
                    var maps: [Int: LogitMap] = [:]
                    for column in group.first!.tiles.lowerBound..<group.last!.tiles.upperBound {
                        let part = preprocessor.normalized(
                            pixels, rows: tiles.rows[row], columns: tiles.columns[column])
                        let input = try Tensor(shape: [1, 3, tile.height, tile.width], values: part)
                        let planes = try logits(input)[row: 0]
                        guard planes.allSatisfy(\.isFinite) else { throw .notFinite(image: 0) }
                        maps[column] = LogitMap(planes: planes, size: ImageSize(height: shape[1], width: shape[2]))
                    }
                    kept[row] = maps
                }
                let maps = kept
                _ = mapConcurrently(count: rows.range.count, threads: threads) { index in
                    let y = rows.range.lowerBound + index
                    for columns in group {
                        var sum = [Float](repeating: 0, count: columns.range.count * labels)
                        sum.withUnsafeMutableBufferPointer { sum in
                            for row in rows.tiles {
                                for column in columns.tiles {
                                    let start = tiles.columns[column].lowerBound
                                    maps[row]![column]!.add(
                                        row: y - tiles.rows[row].lowerBound, axes.rows,
                                        columns: columns.range.lowerBound - start..<columns.range.upperBound - start,
                                        axes.columns, to: sum.baseAddress!)
                                }
                            }
                            let count = Float(rows.tiles.count * columns.tiles.count)
                            for index in sum.indices { sum[index] /= count }
                            answers.take(
                                sum.baseAddress!, pixels: columns.range.count, x: columns.range.lowerBound, y: y)
                        }
                    }
                }
            }
        }
    }
}
