import CETNetGraph
import CETNetNetworks
import CETNetPreprocessing

extension Model {
    /// Classifies an image in memory: resizes, crops and normalises it as the model's configuration says, runs it and
    /// ranks the labels.
    /// - Parameter count: how many predictions to return, the most probable first; fewer if the model has fewer labels.
    /// - Throws: ``PreprocessingError`` if the image cannot be prepared, ``ModelError/notFinite(image:)`` if the
    ///   model's weights are not finite numbers.
    public func classify(_ image: PixelBuffer, top count: Int = 5) throws -> [Prediction] {
        try classify(preprocess(image), top: count)[0]
    }

    /// Classifies images in memory, together: faster than one by one, with the same results.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - count: how many predictions to return for each image, the most probable first.
    /// - Returns: for each image, in order, its predictions.
    /// - Throws: ``PreprocessingError`` for the first image that cannot be prepared,
    ///   ``ModelError/notFinite(image:)`` if the model's weights are not finite numbers.
    public func classify(_ images: [PixelBuffer], top count: Int = 5) throws -> [[Prediction]] {
        guard !images.isEmpty else { return [] }
        return try classify(preprocess(images), top: count)
    }

    /// Classifies normalised images.
    /// - Parameters:
    ///   - batch: (batch, 3, height, width), as ``preprocess(_:)`` makes it; any size from 32×32.
    ///   - count: how many predictions to return for each image, the most probable first.
    /// - Returns: for each image, in order, its predictions.
    /// - Throws: ``ModelError``: for a wrong shape, and ``ModelError/notFinite(image:)`` if an image's logits are NaN or
    ///   infinite.
    public func classify(_ batch: Tensor, top count: Int = 5) throws(ModelError) -> [[Prediction]] {
        var result: [[Prediction]] = []
        for image in try classifyEach(batch, top: count) { result.append(try image.get()) }
        return result
    }

    /// Classifies normalised images, each with a result of its own: one whose logits are not finite does not spoil
    /// those of the others.
    package func classifyEach(
        _ batch: Tensor, top count: Int
    ) throws(ModelError) -> [Result<[Prediction], ModelError>] {
        let logits = try logits(batch)
        return (0..<logits.shape[0]).map { image in
            let predictions = Ranking.predictions(
                logits: logits[row: image], labels: configuration.labels, top: count)
            return predictions.map { .success($0) } ?? .failure(.notFinite(image: image))
        }
    }

    /// The tensor that the model sees of an image: resized, cropped and normalised.
    /// - Returns: (1, 3, size, size), where size is the configuration's `imageSize`.
    /// - Throws: ``PreprocessingError``.
    public func preprocess(_ image: PixelBuffer) throws -> Tensor {
        let size = configuration.imageSize
        return try Tensor(shape: [1, 3, size, size], values: preprocessor(image))
    }

    /// The tensor that the model sees of several images.
    /// - Returns: (images, 3, size, size), where size is the configuration's `imageSize`.
    /// - Throws: ``PreprocessingError`` for the first image that cannot be prepared.
    public func preprocess(_ images: [PixelBuffer]) throws -> Tensor {
        let prepared = mapConcurrently(count: images.count, threads: threads) { index in
            Result { try preprocessor(images[index]) }
        }
        let size = configuration.imageSize
        var values: [Float] = []
        values.reserveCapacity(images.count * 3 * size * size)
        for image in prepared { values += try image.get() }
        return try Tensor(shape: [images.count, 3, size, size], values: values)
    }
}
