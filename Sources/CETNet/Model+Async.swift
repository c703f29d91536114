import Foundation

extension Model {
    /// The calls of the model for `async` code; see ``Async-swift.struct``.
    public var async: Async { Async(model: self) }

    /// The calls of a ``Model`` for `async` code: `try await model.async.classify(image)`.
    ///
    /// Each does what the blocking call of the same name does, on threads of the model, so that Swift's cooperative
    /// pool is never blocked. A task that is cancelled before its work has begun gets ``ModelError/cancelled`` at once;
    /// the work is not done, and what it holds is let go. Work that has begun is finished.
    public struct Async: Sendable {
        let model: Model

        /// Classifies an image; see ``Model/classify(_:top:)-(Image,_)``.
        public func classify(_ image: Image, top count: Int = 5) async throws -> [Prediction] {
            try await model.inBackground { [model] in try model.classify(image, top: count) }
        }

        /// Classifies images; one that cannot be read does not stop the others. Cancellation does, between groups of
        /// images; see ``classifications(of:top:batch:)-(SendableSequence<Image>,_,_)``.
        public func classify(
            _ images: some Sequence<Image> & Sendable, top count: Int = 5, batch: Int = 8
        ) async throws -> [Result<[Prediction], any Error>] {
            try await classifications(of: images, top: count, batch: batch).reduce(into: []) { $0.append($1.result) }
        }

        /// The classifications of images, in order, as they come.
        ///
        /// Images are taken as they are needed: as many at a time as keep the model's threads busy, at least `batch`.
        /// Nothing runs ahead of the loop that asks for the results; a loop that ends or is cancelled stops the work
        /// within one such group.
        /// - Parameters:
        ///   - images: any number, of any sizes; may be endless.
        ///   - count: how many predictions to give for each image, the most probable first.
        ///   - batch: how many images run together, 1 or more.
        public func classifications(
            of images: some Sequence<Image> & Sendable, top count: Int = 5, batch: Int = 8
        ) -> Classifications {
            Classifications(model: model, top: count, batch: batch, groupSize: model.groupSize(batch: batch)) {
                var iterator = images.makeIterator()
                return { iterator.next() }
            }
        }

        /// The classifications of images that come one by one, from a camera or a network, in order.
        ///
        /// As the form for a `Sequence`, but `batch` images are waited for and run: 1 gives each result before the next
        /// image is asked for. An error of `images` ends the sequence.
        public func classifications<Images: AsyncSequence & Sendable>(
            of images: Images, top count: Int = 5, batch: Int = 8
        ) -> Classifications where Images.Element == Image {
            Classifications(model: model, top: count, batch: batch, groupSize: batch) {
                var iterator = images.makeAsyncIterator()
                return { try await iterator.next() }
            }
        }

        /// Classifies normalised images; see ``Model/classify(_:top:)-(Tensor,_)``.
        public func classify(_ batch: Tensor, top count: Int = 5) async throws(ModelError) -> [[Prediction]] {
            try await perform { [model] () throws(ModelError) in try model.classify(batch, top: count) }
        }

        /// The tensor that the model sees of an image; see ``Model/preprocess(_:)-(Image)``.
        public func preprocess(_ image: Image) async throws -> Tensor { try await preprocess([image]) }

        /// The tensor that the model sees of several images; see ``Model/preprocess(_:)-([Image])``.
        public func preprocess(_ images: [Image]) async throws -> Tensor {
            try await model.inBackground { [model] in try model.preprocess(images) }
        }

        /// The logits of normalised images; see ``Model/logits(_:)``.
        public func logits(_ batch: Tensor) async throws(ModelError) -> Tensor {
            try await perform { [model] () throws(ModelError) in try model.logits(batch) }
        }

        /// The feature maps of the stages; see ``Model/features(_:)``.
        public func features(_ batch: Tensor) async throws(ModelError) -> [Tensor] {
            try await perform { [model] () throws(ModelError) in try model.features(batch) }
        }

        /// Logits and feature maps of one run; see ``Model/logitsAndFeatures(_:)``.
        public func logitsAndFeatures(
            _ batch: Tensor
        ) async throws(ModelError) -> (logits: Tensor, features: [Tensor]) {
            try await perform { [model] () throws(ModelError) in try model.logitsAndFeatures(batch) }
        }

        /// The embeddings of normalised images; see ``Model/embeddings(_:)``.
        public func embeddings(_ batch: Tensor) async throws(ModelError) -> Tensor {
            try await perform { [model] () throws(ModelError) in try model.embeddings(batch) }
        }

        /// The embeddings of images; one that cannot be read does not stop the others. Cancellation does, between groups
        /// of images. See ``Model/embeddings(_:batch:)``.
        public func embeddings(
            _ images: some Sequence<Image>, batch: Int = 8
        ) async throws -> [Result<[Float], any Error>] {
            let images = Array(images)
            var results: [Result<[Float], any Error>] = []
            while results.count < images.count {
                let first = results.count
                let group = images[first..<min(images.count, first + max(1, model.groupSize(batch: batch)))]
                results += try await model.inBackground { [model] in
                    try model.embeddings(group, from: first, batch: batch)
                }
            }
            return results
        }

        /// Runs the model on tensors by name; see ``Model/run(_:outputs:)``.
        public func run(
            _ inputs: [String: Tensor], outputs names: Set<String>? = nil
        ) async throws(ModelError) -> [String: Tensor] {
            try await perform { [model] () throws(ModelError) in try model.run(inputs, outputs: names) }
        }

        /// Makes the first runs as fast as those that follow; see ``Model/warmUp(imageSize:batch:)``.
        public func warmUp(imageSize: ImageSize? = nil, batch: Int = 1) async throws(ModelError) {
            try await perform { [model] () throws(ModelError) in try model.warmUp(imageSize: imageSize, batch: batch) }
        }

        func perform<Value: Sendable>(
            _ work: @escaping @Sendable () throws(ModelError) -> Value
        ) async throws(ModelError) -> Value {
            guard let result = await model.background.perform({ Result(catching: work) }) else { throw .cancelled }
            return try result.get()
        }
    }

    /// Does blocking work on a thread of the model's own.
    /// - Throws: ``ModelError/cancelled`` if the task is cancelled before the work has begun; else what `work` throws.
    package func inBackground<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await background.result(of: work)
    }

    /// How many images are prepared together: whole batches, enough for every thread.
    func groupSize(batch: Int) -> Int { (threads + batch - 1) / max(1, batch) * batch }
}

// Loading, which takes a moment: weights are read and converted.
extension Model {
    /// For all models that are being loaded.
    private static let loading = BackgroundQueue(width: 2)

    /// Loads a model without blocking; see ``init(contentsOf:options:)``.
    /// - Throws: what that initialiser throws; ``ModelError/cancelled`` if the task is cancelled before it begins.
    public static func load(contentsOf url: URL, options: Options = Options()) async throws -> Model {
        try await loading.result { try Model(contentsOf: url, options: options) }
    }

    /// Loads a model at a path without blocking; see ``init(contentsOf:options:)``.
    public static func load(path: String, options: Options = Options()) async throws -> Model {
        try await load(contentsOf: URL(fileURLWithPath: path), options: options)
    }

    /// Makes a model with seeded random weights without blocking; see ``init(configuration:randomSeed:options:)``.
    public static func load(
        configuration: ModelConfiguration, randomSeed seed: UInt64, options: Options = Options()
    ) async throws -> Model {
        try await loading.result {
            try Model(configuration: configuration, randomSeed: seed, options: options)
        }
    }

    /// Makes a model of a known variant without blocking; see ``init(variant:randomSeed:options:)``.
    public static func load(
        variant: String, randomSeed seed: UInt64, options: Options = Options()
    ) async throws -> Model {
        try await loading.result { try Model(variant: variant, randomSeed: seed, options: options) }
    }

    /// Writes a model with seeded random weights without blocking; see
    /// ``ModelConfiguration/writeRandomModel(seed:to:replacing:)``.
    public static func writeRandomModel(
        of configuration: ModelConfiguration, seed: UInt64, to directory: URL, replacing: Bool = false
    ) async throws {
        try await loading.result {
            try configuration.writeRandomModel(seed: seed, to: directory, replacing: replacing)
        }
    }
}

/// The classifications of images, in order, as they come; see
/// ``Model/Async-swift.struct/classifications(of:top:batch:)-(SendableSequence<Image>,_,_)``.
public struct Classifications: AsyncSequence, Sendable {
    /// The image's position in the sequence, and its predictions or what is wrong with it.
    public typealias Element = (index: Int, result: Result<[Prediction], any Error>)

    let model: Model
    let top: Int
    let batch: Int
    let groupSize: Int
    /// Begins with the first image; what it returns gives the next one.
    let begin: @Sendable () -> () async throws -> Image?

    /// Begins with the first image.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self, nextImage: begin()) }

    /// Gives the classifications one by one.
    public struct Iterator: AsyncIteratorProtocol {
        let sequence: Classifications
        let nextImage: () async throws -> Image?
        /// Of the last group, in order.
        var results: ArraySlice<Result<[Prediction], any Error>> = []
        var index = 0

        /// The next image's classification; `nil` when there are no more images.
        /// - Throws: ``ModelError/cancelled`` if the task is cancelled; an error of the images' sequence;
        ///   ``ModelError`` if no image can be run.
        public mutating func next() async throws -> Element? {
            if Task.isCancelled { throw ModelError.cancelled }
            if results.isEmpty {
                var group: [Image] = []
                while group.count < Swift.max(1, sequence.groupSize), let image = try await nextImage() {
                    group.append(image)
                }
                if group.isEmpty { return nil }
                results = try await sequence.model.inBackground { [sequence, index, group] in
                    try sequence.model.results(of: group, from: index, top: sequence.top, batch: sequence.batch)[...]
                }
            }
            defer { index += 1 }
            return (index, results.removeFirst())
        }
    }
}
