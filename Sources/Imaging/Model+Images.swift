import CETNet
import Foundation

// Image files and encoded images for `Model`: JPEG and PNG, told apart by their contents. The `decoder` says how large
// an image may be, and whether EXIF orientation is applied; by default it is.

extension Model {
    /// Classifies an image file.
    /// - Parameter count: how many predictions to return, the most probable first; fewer if the model has fewer labels.
    /// - Throws: ``ImageError`` if the file cannot be read or decoded, `PreprocessingError` if the image cannot be
    ///   prepared, `ModelError.notFinite` if the model's weights are not finite numbers.
    public func classify(
        imageAt url: URL, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) throws -> [Prediction] {
        try classify(preprocess(imageAt: url, decoder: decoder), top: count)[0]
    }

    /// Classifies the image file at a path; see the form that takes a URL.
    public func classify(
        imageAt path: String, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) throws -> [Prediction] {
        try classify(preprocess(imageAt: path, decoder: decoder), top: count)[0]
    }

    /// Classifies an encoded image: the bytes of a JPEG or PNG file.
    public func classify(
        imageData data: Data, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) throws -> [Prediction] {
        try classify(preprocess(imageData: data, decoder: decoder), top: count)[0]
    }

    /// The tensor that the model sees of an image file: decoded, resized, cropped and normalised.
    /// - Returns: (1, 3, size, size), where size is the configuration's `imageSize`.
    public func preprocess(imageAt url: URL, decoder: ImageDecoder = ImageDecoder()) throws -> Tensor {
        try preprocess(decoder.decode(contentsOf: url))
    }

    /// The tensor that the model sees of the image file at a path; see the form that takes a URL.
    public func preprocess(imageAt path: String, decoder: ImageDecoder = ImageDecoder()) throws -> Tensor {
        try preprocess(decoder.decode(contentsOfFile: path))
    }

    /// The tensor that the model sees of an encoded image.
    /// - Returns: (1, 3, size, size), where size is the configuration's `imageSize`.
    public func preprocess(imageData data: Data, decoder: ImageDecoder = ImageDecoder()) throws -> Tensor {
        try preprocess(decoder.decode(data))
    }

    /// Classifies image files; one that cannot be read does not stop the others.
    ///
    /// Files are decoded on as many threads as the model runs on, and run through the model `batch` at a time, which is
    /// faster than one by one and gives the same results.
    /// - Parameters:
    ///   - urls: any number of files.
    ///   - count: how many predictions to return for each image, the most probable first.
    ///   - batch: how many images run together, 1 or more.
    ///   - decoder: decodes the files.
    ///   - body: called for each file in order, with its index, as soon as its result is there. What it throws ends
    ///     the call.
    public func classify(
        imagesAt urls: [URL], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder(),
        _ body: (Int, Result<[Prediction], any Error>) throws -> Void
    ) throws {
        try classify(urls.count, top: count, batch: batch, body) { try preprocess(imageAt: urls[$0], decoder: decoder) }
    }

    /// Classifies the image files at paths; see the form that takes URLs.
    public func classify(
        imagesAt paths: [String], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder(),
        _ body: (Int, Result<[Prediction], any Error>) throws -> Void
    ) throws {
        try classify(paths.count, top: count, batch: batch, body) {
            try preprocess(imageAt: paths[$0], decoder: decoder)
        }
    }

    /// Classifies image files and returns for each, in order, its predictions or what is wrong with it.
    /// - Parameters:
    ///   - urls: any number of files.
    ///   - count: how many predictions to return for each image, the most probable first.
    ///   - batch: how many images run together, 1 or more.
    ///   - decoder: decodes the files.
    public func classify(
        imagesAt urls: [URL], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder()
    ) throws -> [Result<[Prediction], any Error>] {
        var results: [Result<[Prediction], any Error>] = []
        results.reserveCapacity(urls.count)
        try classify(imagesAt: urls, top: count, batch: batch, decoder: decoder) { _, outcome in
            results.append(outcome)
        }
        return results
    }

    /// Classifies the image files at paths; see the form that takes URLs.
    public func classify(
        imagesAt paths: [String], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder()
    ) throws -> [Result<[Prediction], any Error>] {
        var results: [Result<[Prediction], any Error>] = []
        results.reserveCapacity(paths.count)
        try classify(imagesAt: paths, top: count, batch: batch, decoder: decoder) { _, outcome in
            results.append(outcome)
        }
        return results
    }

    /// Classifies images that `prepare` makes.
    private func classify(
        _ images: Int, top count: Int, batch: Int, _ body: (Int, Result<[Prediction], any Error>) throws -> Void,
        prepare: @Sendable (Int) throws -> Tensor
    ) throws {
        precondition(batch >= 1, "a batch of \(batch) images")
        // Decoding and running take turns, each on all threads. A group is large enough that both keep them busy.
        let batchesPerGroup = (threads + batch - 1) / batch
        for group in stride(from: 0, to: images, by: batch * batchesPerGroup) {
            let end = min(group + batch * batchesPerGroup, images)
            let prepared = mapConcurrently(count: end - group, threads: threads) { offset in
                Result { try prepare(group + offset) }
            }
            for start in stride(from: 0, to: prepared.count, by: batch) {
                let batch = prepared[start..<min(start + batch, prepared.count)]
                let tensors = batch.compactMap { try? $0.get() }
                var outcomes = try classifyEach(tensors, top: count).makeIterator()
                for (offset, image) in batch.enumerated() {
                    let index = group + start + offset
                    try body(index, image.flatMap { _ in outcomes.next()!.mapError { $0.of(image: index) } })
                }
            }
        }
    }

    /// Runs images of one size as one batch and gives each an outcome of its own.
    private func classifyEach(
        _ images: [Tensor], top count: Int
    ) throws -> [Result<[Prediction], ModelError>] {
        guard let first = images.first else { return [] }
        return try classifyEach(
            Tensor(shape: [images.count] + first.shape.dropFirst(), values: images.flatMap(\.values)), top: count)
    }
}

extension ModelError {
    /// The same error with the image's position among the files instead of in the batch that it happened to be in.
    fileprivate func of(image: Int) -> any Error {
        if case .notFinite = self { ModelError.notFinite(image: image) } else { self }
    }
}

// The same for `async` code, on threads of the model; see the `async` methods of `Model`.

extension Model {
    /// Classifies an image file; see the blocking form of the same name.
    public func classify(
        imageAt url: URL, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) async throws -> [Prediction] {
        try await inBackground { try self.classify(imageAt: url, top: count, decoder: decoder) }
    }

    /// Classifies the image file at a path; see the blocking form of the same name.
    public func classify(
        imageAt path: String, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) async throws -> [Prediction] {
        try await inBackground { try self.classify(imageAt: path, top: count, decoder: decoder) }
    }

    /// Classifies an encoded image; see the blocking form of the same name.
    public func classify(
        imageData data: Data, top count: Int = 5, decoder: ImageDecoder = ImageDecoder()
    ) async throws -> [Prediction] {
        try await inBackground { try self.classify(imageData: data, top: count, decoder: decoder) }
    }

    /// Classifies image files; see the blocking form of the same name.
    public func classify(
        imagesAt urls: [URL], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder()
    ) async throws -> [Result<[Prediction], any Error>] {
        try await inBackground { try self.classify(imagesAt: urls, top: count, batch: batch, decoder: decoder) }
    }

    /// Classifies the image files at paths; see the blocking form of the same name.
    public func classify(
        imagesAt paths: [String], top count: Int = 5, batch: Int = 8, decoder: ImageDecoder = ImageDecoder()
    ) async throws -> [Result<[Prediction], any Error>] {
        try await inBackground { try self.classify(imagesAt: paths, top: count, batch: batch, decoder: decoder) }
    }
}
