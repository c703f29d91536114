import CETNetPreprocessing

extension Model {
    /// Classifies an image: resizes, crops and normalises it as the model's configuration says, runs it and ranks the
    /// labels.
    /// - Parameters:
    ///   - image: of any size.
    ///   - count: how many predictions to return, the most probable first; fewer if the model has fewer labels.
    /// - Throws: what reading the image throws (`ImageError` for files); ``ModelError/preprocessing(image:_:)`` if it
    ///   cannot be prepared, ``ModelError/notFinite(image:)`` if the model's weights are not finite numbers,
    ///   ``ModelError/task(_:expected:)`` for a model that does not classify.
    public func classify(_ image: Image, top count: Int = 5) throws -> [Prediction] {
        try classify([image], top: count, batch: 1)[0].get()
    }

    /// Classifies images; one that cannot be read does not stop the others.
    ///
    /// Images are decoded on as many threads as the model runs on, and run `batch` at a time, which is faster than one
    /// by one and gives the same results.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - count: how many predictions to return for each image, the most probable first.
    ///   - batch: how many images run together, 1 or more.
    /// - Returns: for each image, in order, its predictions or what ``classify(_:top:)-(Image,_)`` throws for it.
    /// - Throws: ``ModelError`` if no image can be run: ``ModelError/option(name:allowed:found:)``,
    ///   ``ModelError/outOfMemory(bytes:)``.
    public func classify(
        _ images: some Sequence<Image>, top count: Int = 5, batch: Int = 8
    ) throws(ModelError) -> [Result<[Prediction], any Error>] {
        try results(of: images, from: 0, top: count, batch: batch)
    }

    /// Classifies images and hands out each result, in order, as soon as it is there.
    ///
    /// Images are taken from the sequence as they are needed, so it may be endless.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - count: how many predictions to give for each image, the most probable first.
    ///   - batch: how many images run together, 1 or more.
    ///   - body: called with each image's index and result. What it throws ends the call.
    /// - Throws: what `body` throws, and ``ModelError`` as the form without it.
    public func classify(
        _ images: some Sequence<Image>, top count: Int = 5, batch: Int = 8,
        _ body: (Int, Result<[Prediction], any Error>) throws -> Void
    ) throws {
        var batches = try classifiedBatches(images, from: 0, top: count, batch: batch)
        while let (first, results) = try batches.next() {
            for (offset, result) in results.enumerated() { try body(first + offset, result) }
        }
    }

    /// Classifies normalised images.
    /// - Parameters:
    ///   - batch: (batch, 3, height, width), as ``preprocess(_:)-(Image)`` makes it; any size from 32×32.
    ///   - count: how many predictions to return for each image, the most probable first.
    /// - Returns: for each image, in order, its predictions.
    /// - Throws: ``ModelError``: for a wrong shape, and ``ModelError/notFinite(image:)`` if an image's logits are NaN or
    ///   infinite.
    public func classify(_ batch: Tensor, top count: Int = 5) throws(ModelError) -> [[Prediction]] {
        try require(.classification)
        let logits = try logits(batch)
        var result: [[Prediction]] = []
        for image in 0..<logits.shape[0] {
            guard let predictions = rank(logits[row: image], top: count) else { throw .notFinite(image: image) }
            result.append(predictions)
        }
        return result
    }

    /// Ranks the logits of one image, from ``logits(_:)`` or a ``Session``.
    /// - Parameters:
    ///   - logits: one for each label.
    ///   - count: how many predictions to return, the most probable first.
    /// - Throws: ``ModelError/shape(of:expected:found:)`` for another number of logits, ``ModelError/notFinite(image:)``
    ///   with 0 if one of them is NaN or infinite.
    public func predictions(logits: ArraySlice<Float>, top count: Int = 5) throws(ModelError) -> [Prediction] {
        guard logits.count == configuration.numLabels else {
            throw .shape(of: "logits", expected: "[\(configuration.numLabels)]", found: [logits.count])
        }
        guard let predictions = rank(logits, top: count) else { throw .notFinite(image: 0) }
        return predictions
    }

    /// The tensor that the model sees of an image: resized, cropped and normalised.
    /// - Returns: (1, 3, size, size), where size is the configuration's `imageSize`.
    /// - Throws: what reading the image throws, ``ModelError/preprocessing(image:_:)``,
    ///   ``ModelError/outOfMemory(bytes:)``.
    public func preprocess(_ image: Image) throws -> Tensor { try preprocess([image]) }

    /// The tensor that the model sees of several images.
    /// - Returns: (images, 3, size, size), where size is the configuration's `imageSize`.
    /// - Throws: for the first image that cannot be prepared, what ``preprocess(_:)-(Image)`` throws for it.
    public func preprocess(_ images: [Image]) throws -> Tensor {
        let (batch, errors) = try prepare(images)
        for case let error? in errors { throw error }
        return batch
    }

    func results(
        of images: some Sequence<Image>, from first: Int, top count: Int, batch: Int
    ) throws(ModelError) -> [Result<[Prediction], any Error>] {
        var batches = try classifiedBatches(images, from: first, top: count, batch: batch)
        return try batches.rest()
    }

    private func classifiedBatches<Images: Sequence<Image>>(
        _ images: Images, from first: Int, top count: Int, batch: Int
    ) throws(ModelError) -> ImageBatches<Images.Iterator, [Prediction]> {
        try require(.classification)
        return try ImageBatches(self, images, from: first, batch: batch) { images, rows throws(ModelError) in
            let logits = try self.run(images, rows: rows, features: false).logits
            return rows.indices.map { self.rank(logits[row: $0 - rows.lowerBound], top: count) }
        }
    }

    fileprivate func rank(_ logits: ArraySlice<Float>, top count: Int) -> [Prediction]? {
        Ranking.predictions(logits: logits, labels: configuration.labels, top: count)
    }

    /// Reads and prepares images, each straight into its row of a batch.
    /// - Returns: the batch, whose first rows are the images that could be prepared; and what is wrong with the others.
    /// - Throws: ``ModelError/outOfMemory(bytes:)``.
    fileprivate func prepare(_ images: [Image]) throws(ModelError) -> (batch: Tensor, errors: [(any Error)?]) {
        let size = configuration.imageSize
        var batch = try Tensor(zeroed: [images.count, 3, size, size])
        let errors = batch.withUnsafeMutableValues { values in
            let count = 3 * size * size
            nonisolated(unsafe) let rows = images.indices.map {
                UnsafeMutableBufferPointer(rebasing: values[$0 * count..<($0 + 1) * count])
            }
            let errors = mapConcurrently(count: images.count, threads: threads) { index -> (any Error)? in
                do {
                    try images[index].withPixelBuffer { try preprocessor.process($0, into: rows[index]) }
                    return nil
                } catch let error as PreprocessingError {
                    return ModelError.preprocessing(image: images[index].name, error)
                } catch {
                    return error
                }
            }
            for (row, index) in errors.indices.filter({ errors[$0] == nil }).enumerated() where row < index {
                _ = rows[row].update(fromContentsOf: rows[index])
            }
            return errors
        }
        return (batch, errors)
    }
}

/// Runs the images of a sequence batch by batch. Preparing and running take turns, each on all threads; a group of
/// batches is prepared at once, large enough that both keep them busy.
struct ImageBatches<Images: IteratorProtocol<Image>, Output> {
    /// What comes out of some images of a prepared batch; `nil` for one whose numbers are not finite.
    typealias Compute = (_ images: Tensor, _ rows: Range<Int>) throws(ModelError) -> [Output?]

    private let model: Model
    private var images: Images
    private let batch: Int
    private let compute: Compute
    /// The image after the last one of the group.
    private var end: Int
    private var group = (batch: Tensor(zeros: [0]), errors: [(any Error)?]())
    /// How many images of the group are done, and how many of them were run.
    private var done = 0, ran = 0

    init<S: Sequence<Image>>(
        _ model: Model, _ images: S, from first: Int, batch: Int, compute: @escaping Compute
    ) throws(ModelError) where S.Iterator == Images {
        guard batch >= 1 else { throw .option(name: "batch", allowed: "1 or more", found: batch) }
        self.model = model
        self.images = images.makeIterator()
        self.compute = compute
        (self.batch, end) = (batch, first)
    }

    /// The results of the next images and the index of the first of them; `nil` when there are no more.
    mutating func next() throws(ModelError) -> (first: Int, results: [Result<Output, any Error>])? {
        if done == group.errors.count {
            var next: [Image] = []
            while next.count < model.groupSize(batch: batch), let image = images.next() { next.append(image) }
            if next.isEmpty { return nil }
            end += next.count
            group = try model.prepare(next)
            (done, ran) = (0, 0)
        }
        let errors = group.errors[done..<min(done + batch, group.errors.count)]
        let rows = ran..<ran + errors.count { $0 == nil }
        var outputs = try rows.isEmpty ? [] : compute(group.batch, rows)[...]
        let first = end - group.errors.count + done
        let results = errors.enumerated().map { offset, error -> Result<Output, any Error> in
            if let error { return .failure(error) }
            return outputs.removeFirst().map { .success($0) } ?? .failure(ModelError.notFinite(image: first + offset))
        }
        (done, ran) = (errors.endIndex, rows.upperBound)
        return (first, results)
    }

    /// The results of all images that are left.
    mutating func rest() throws(ModelError) -> [Result<Output, any Error>] {
        var all: [Result<Output, any Error>] = []
        while let (_, results) = try next() { all += results }
        return all
    }
}
