import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetNetworks

// The vector in front of the classifier: what an image is, in the network's own terms. PyTorch Image Models call it
// `forward_head(pre_logits=True)`, Transformers `pooler_output`.
extension Model {
    /// How many numbers an embedding has: the channels of the last stage.
    public var embeddingDimension: Int { configuration.dims.last! }

    /// The embeddings of normalised images: what the classifier multiplies by its weights. That is the mean over the
    /// last stage's tokens, each after the final norm; where there is a class token, that token alone after the norm.
    ///
    /// Backbones without classifier have them too. Where the model's file has no final norm either, it is the one that a
    /// new head begins with: of scale 1 and shift 0.
    /// - Parameter batch: (batch, 3, height, width), as ``preprocess(_:)-(Image)`` makes it; any size from 32×32.
    /// - Returns: (batch, ``embeddingDimension``). NaN and infinity in an image make its own embedding NaN.
    /// - Throws: ``ModelError/shape(of:expected:found:)``, ``ModelError/imageSize(_:allowed:)`` and
    ///   ``ModelError/outOfMemory(bytes:)``.
    public func embeddings(_ batch: Tensor) throws(ModelError) -> Tensor { try embed(batch, rows: 0..<batch.images) }

    /// The embeddings of images; one that cannot be read does not stop the others.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - batch: how many images run together, 1 or more.
    /// - Returns: for each image, in order, its embedding or what is wrong with it: what reading the image throws,
    ///   ``ModelError/preprocessing(image:_:)``, ``ModelError/notFinite(image:)``.
    /// - Throws: ``ModelError`` if no image can be run.
    public func embeddings(
        _ images: some Sequence<Image>, batch: Int = 8
    ) throws(ModelError) -> [Result<[Float], any Error>] {
        try embeddings(images, from: 0, batch: batch)
    }

    /// Embeds images and hands out each result, in order, as soon as it is there.
    ///
    /// Images are taken from the sequence as they are needed, so it may be endless.
    /// - Parameters:
    ///   - images: any number, of any sizes.
    ///   - batch: how many images run together, 1 or more.
    ///   - body: called with each image's index and result. What it throws ends the call.
    /// - Throws: what `body` throws, and ``ModelError`` as the form without it.
    public func embeddings(
        _ images: some Sequence<Image>, batch: Int = 8, _ body: (Int, Result<[Float], any Error>) throws -> Void
    ) throws {
        var batches = try embeddedBatches(images, from: 0, batch: batch)
        while let (first, results) = try batches.next() {
            for (offset, result) in results.enumerated() { try body(first + offset, result) }
        }
    }

    func embeddings(
        _ images: some Sequence<Image>, from first: Int, batch: Int
    ) throws(ModelError) -> [Result<[Float], any Error>] {
        var batches = try embeddedBatches(images, from: first, batch: batch)
        return try batches.rest()
    }

    private func embeddedBatches<Images: Sequence<Image>>(
        _ images: Images, from first: Int, batch: Int
    ) throws(ModelError) -> ImageBatches<Images.Iterator, [Float]> {
        try ImageBatches(self, images, from: first, batch: batch) { images, rows throws(ModelError) in
            let embeddings = try self.embed(images, rows: rows)
            return rows.indices.map {
                let row = embeddings[row: $0 - rows.lowerBound]
                return row.allSatisfy(\.isFinite) ? Array(row) : nil
            }
        }
    }

    private func embed(_ batch: Tensor, rows: Range<Int>) throws(ModelError) -> Tensor {
        var embeddings = try Tensor(zeroed: [rows.count, embeddingDimension])
        try lastTokens(of: batch, rows: rows) { first, tokens, positions in
            let (images, dimension) = (tokens.count / (positions * embeddingDimension), embeddingDimension)
            embeddings.withUnsafeMutableValues { values in
                nonisolated(unsafe) let (values, tokens) = (
                    values.baseAddress! + first * dimension, tokens.baseAddress!
                )
                _ = mapConcurrently(count: images, threads: threads) { image in
                    finalNorm.mean(
                        tokens + image * positions * dimension, positions: positions, into: values + image * dimension)
                }
            }
        }
        return embeddings
    }

    /// Runs images and hands out what the head reads of them, before the final norm: float32 (images, channels,
    /// positions), the last stage's map or its class token.
    /// - Parameter body: called for some images at a time: with the first of them, counted from `rows`, their tokens and
    ///   the number of positions.
    func lastTokens(
        of batch: Tensor, rows: Range<Int>,
        _ body: (_ first: Int, _ tokens: UnsafeBufferPointer<Float>, _ positions: Int) -> Void
    ) throws(ModelError) {
        guard configuration.task == .classification else {
            throw .task(configuration.task, expected: .classification)
        }
        let size = try imageSize(of: batch)
        try InputLimits.check(size)
        let map = frozen.featureShapes(size: size).last!
        let (name, positions) =
            configuration.hasClassToken
            ? (FrozenNetwork.classTokenName, 1) : (frozen.featureNames.last!, map[1] * map[2])
        let largest = InputLimits.imagesPerRun(size, threads: threads)
        let imageCount = batch.values.count / batch.shape[0]
        var tokens = try Tensor(zeroed: [min(largest, rows.count), map[0], positions])
        for start in stride(from: 0, to: rows.count, by: largest) {
            let count = min(largest, rows.count - start)
            try tokens.withUnsafeMutableValues { tokens throws(ModelError) in
                try batch.values.withUnsafeBufferPointer { input throws(ModelError) in
                    try sessions.withSession { session throws(ModelError) in
                        try session.run(
                            input: input.baseAddress! + (rows.lowerBound + start) * imageCount, batch: count,
                            size: size, outputs: [name: tokens.baseAddress!])
                    }
                }
                body(start, UnsafeBufferPointer(rebasing: tokens[..<(count * map[0] * positions)]), positions)
            }
        }
    }
}

extension Tensor {
    /// Extent of the first axis; 0 for a scalar.
    fileprivate var images: Int { shape.first ?? 0 }
}

/// The layer normalisation in front of the head, in double precision.
struct FinalNorm: Sendable {
    /// Its tensors, of which a backbone's file may have none.
    static let names = ["norm.weight", "norm.bias"]

    let weight: [Float]
    let bias: [Float]
    let epsilon: Double

    /// That of a model's file, or a new one where the file has none.
    init(of configuration: ModelConfiguration, weights: some TensorSource) throws {
        let channels = configuration.dims.last!
        let isThere = Self.names.allSatisfy { weights.shape(of: $0) != nil }
        weight = isThere ? try weights.values(of: Self.names[0]) : [Float](repeating: 1, count: channels)
        bias = isThere ? try weights.values(of: Self.names[1]) : [Float](repeating: 0, count: channels)
        epsilon = Double(configuration.finalEpsilon)
    }

    /// Mean and the inverse of the deviation over the channels of each position.
    /// - Parameter tokens: (channels, positions).
    func statistics(
        _ tokens: UnsafePointer<Float>, positions: Int
    ) -> (means: [Double], scales: [Double]) {
        let channels = weight.count
        var (means, scales) = (
            [Double](repeating: 0, count: positions), [Double](repeating: 0, count: positions)
        )
        for channel in 0..<channels {
            for position in 0..<positions { means[position] += Double(tokens[channel * positions + position]) }
        }
        for position in 0..<positions { means[position] /= Double(channels) }
        for channel in 0..<channels {
            for position in 0..<positions {
                let difference = Double(tokens[channel * positions + position]) - means[position]
                scales[position] += difference * difference
            }
        }
        for position in 0..<positions {
            scales[position] = 1 / (scales[position] / Double(channels) + epsilon).squareRoot()
        }
        return (means, scales)
    }

    /// The mean over all positions of their norms.
    /// - Parameters:
    ///   - tokens: (channels, positions).
    ///   - mean: receives as many numbers as there are channels.
    func mean(_ tokens: UnsafePointer<Float>, positions: Int, into mean: UnsafeMutablePointer<Float>) {
        let (means, scales) = statistics(tokens, positions: positions)
        for channel in weight.indices {
            var sum = 0.0
            for position in 0..<positions {
                sum += (Double(tokens[channel * positions + position]) - means[position]) * scales[position]
            }
            mean[channel] = Float(sum / Double(positions) * Double(weight[channel]) + Double(bias[channel]))
        }
    }
}
