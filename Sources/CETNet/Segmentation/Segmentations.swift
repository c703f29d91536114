extension Model.Async {
    /// Labels every pixel of an image; see ``Model/segment(_:mode:)-(Image,_)``.
    public func segment(_ image: Image, mode: SegmentationMode = .whole) async throws -> SegmentationMap {
        try await model.inBackground { [model] in try model.segment(image, mode: mode) }
    }

    /// The probability of each label at each pixel; see ``Model/segmentationProbabilities(_:mode:)``.
    public func segmentationProbabilities(_ image: Image, mode: SegmentationMode = .whole) async throws -> Tensor {
        try await model.inBackground { [model] in try model.segmentationProbabilities(image, mode: mode) }
    }

    /// Labels every pixel of images; one that cannot be read does not stop the others. Cancellation does, between images.
    public func segment(
        _ images: some Sequence<Image> & Sendable, mode: SegmentationMode = .whole
    ) async throws -> [Result<SegmentationMap, any Error>] {
        try await segmentations(of: images, mode: mode).reduce(into: []) { $0.append($1.result) }
    }

    /// Labels every pixel of normalised images; see ``Model/segment(_:)-(Tensor)``.
    public func segment(_ batch: Tensor) async throws(ModelError) -> [SegmentationMap] {
        try await perform { [model] () throws(ModelError) in try model.segment(batch) }
    }

    /// The label maps of images, in order, as they come. Nothing runs ahead of the loop that asks for them.
    /// - Parameters:
    ///   - images: any number, of any sizes; may be endless.
    ///   - mode: in one pass or in tiles.
    public func segmentations(
        of images: some Sequence<Image> & Sendable, mode: SegmentationMode = .whole
    ) -> Segmentations {
        Segmentations(model: model, mode: mode) {
            var iterator = images.makeIterator()
            return { iterator.next() }
        }
    }

    /// The label maps of images that come one by one, from a camera or a network, in order. An error of `images` ends the
    /// sequence.
    public func segmentations<Images: AsyncSequence & Sendable>(
        of images: Images, mode: SegmentationMode = .whole
    ) -> Segmentations where Images.Element == Image {
        Segmentations(model: model, mode: mode) {
            var iterator = images.makeAsyncIterator()
            return { try await iterator.next() }
        }
    }
}

/// The label maps of images, in order, as they come; see
/// ``Model/Async-swift.struct/segmentations(of:mode:)-(SendableSequence<Image>,_)``.
public struct Segmentations: AsyncSequence, Sendable {
    /// The image's position in the sequence, and its labels or what is wrong with it.
    public typealias Element = (index: Int, result: Result<SegmentationMap, any Error>)

    let model: Model
    let mode: SegmentationMode
    /// Begins with the first image; what it returns gives the next one.
    let begin: @Sendable () -> () async throws -> Image?

    /// Begins with the first image.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self, nextImage: begin()) }

    /// Gives the label maps one by one.
    public struct Iterator: AsyncIteratorProtocol {
        let sequence: Segmentations
        let nextImage: () async throws -> Image?
        var index = 0

        /// The next image's label map; `nil` when there are no more images.
        /// - Throws: ``ModelError/cancelled`` if the task is cancelled; an error of the images' sequence;
        ///   ``ModelError/task(_:expected:)`` for a model that does not segment.
        public mutating func next() async throws -> Element? {
            if Task.isCancelled { throw ModelError.cancelled }
            try sequence.model.require(.segmentation)
            guard let image = try await nextImage() else { return nil }
            let result = try await sequence.model.inBackground { [sequence] in
                Result { try sequence.model.segment(image, mode: sequence.mode) }
            }
            defer { index += 1 }
            return (index, result)
        }
    }
}
