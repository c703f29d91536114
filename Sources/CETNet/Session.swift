import CETNetEngine
import CETNetGraph
import CETNetMemory

/// One run after another with memory prepared in advance: for latency-bound loops and for callers that want to place
/// threads and memory themselves. Most programs need only ``Model``.
///
/// A session owns its working memory and its threads. After ``prepare(imageSize:batch:)``, runs at that size that want
/// no feature maps allocate nothing; the last four sizes are kept. It is not `Sendable`: one thread uses it at a time.
/// Sessions of one model share its weights and run independently of each other.
public final class Session {
    /// The model that it runs.
    public let model: Model
    let session: CETNetEngine.Session

    /// Makes a session of a model.
    /// - Parameters:
    ///   - model: the model to run.
    ///   - threads: how many threads a run uses, the caller's included, 1...64; `nil`: as many as the model.
    /// - Throws: ``ModelError/option(name:allowed:found:)``.
    public init(_ model: Model, threads: Int? = nil) throws(ModelError) {
        self.model = model
        let threads = try Model.check("threads", threads ?? model.threads)
        session = try passOnOutOfMemory { () throws(OutOfMemoryError) in
            try CETNetEngine.Session(network: model.frozen, threads: threads)
        }
    }

    /// How many threads a run uses.
    public var threads: Int { session.threads }

    /// Bytes of working memory for the sizes last prepared or run.
    public var workingBytes: Int { session.arenaBytes }

    /// Prepares for images of a size, so that the following runs at that size allocate nothing.
    /// - Parameters:
    ///   - imageSize: their height and width.
    ///   - batch: how many images run at once, the most that ``run(input:batch:imageSize:logits:)`` will get.
    /// - Throws: ``ModelError`` for a size or batch that cannot be run.
    public func prepare(imageSize: ImageSize, batch: Int) throws(ModelError) {
        try InputLimits.check(imageSize, batch: batch)
        try passOnOutOfMemory { () throws(OutOfMemoryError) in try session.prepare(size: imageSize, batch: batch) }
    }

    /// Runs images.
    ///
    /// ```swift
    /// var logits = [Float](repeating: 0, count: batch * model.configuration.numLabels)
    /// var span = logits.mutableSpan
    /// try session.run(input: images.values.span, batch: batch, imageSize: size, logits: &span)
    /// ```
    /// - Parameters:
    ///   - input: float32 (batch, 3, height, width), normalised.
    ///   - batch: how many images.
    ///   - imageSize: their height and width.
    ///   - logits: receives float32 (batch, labels), of a segmentation model (batch, labels, ⌈height/4⌉, ⌈width/4⌉); may
    ///     have room for more.
    /// - Throws: ``ModelError`` for a size or batch that cannot be run and for a buffer that is too small.
    public func run(
        input: Span<Float>, batch: Int, imageSize: ImageSize, logits: inout MutableSpan<Float>
    ) throws(ModelError) {
        try input.withUnsafeBufferPointer { input throws(ModelError) in
            try logits.withUnsafeMutableBufferPointer { logits throws(ModelError) in
                try run(input: input, batch: batch, imageSize: imageSize, logits: logits)
            }
        }
    }

    /// Runs images in memory of the caller's, and can keep the stages' feature maps.
    /// - Parameters:
    ///   - input: float32 (batch, 3, height, width), normalised.
    ///   - batch: how many images.
    ///   - imageSize: their height and width.
    ///   - logits: receives float32 (batch, labels); may have room for more. A model without classifier writes nothing.
    ///   - features: for each stage, receives float32 (batch, channels, height, width), in the shapes of
    ///     ``Model/outputs(imageSize:)``; `nil` to keep none.
    /// - Throws: ``ModelError`` for a size or batch that cannot be run and for a buffer that is too small.
    public func run(
        input: UnsafeBufferPointer<Float>, batch: Int, imageSize: ImageSize,
        logits: UnsafeMutableBufferPointer<Float>, features: [UnsafeMutableBufferPointer<Float>]? = nil
    ) throws(ModelError) {
        try check(input: input, batch: batch, imageSize: imageSize, logits: logits)
        guard let features else {
            try model.requireHead()
            return try session.run(
                input: input.baseAddress!, batch: batch, size: imageSize, logits: logits.baseAddress!)
        }
        try model.check(features, batch: batch, imageSize: imageSize)
        try features.map { $0.baseAddress! }.withUnsafeBufferPointer { maps throws(ModelError) in
            try session.run(
                input: input.baseAddress!, batch: batch, size: imageSize, logits: logits.baseAddress!,
                features: maps.baseAddress!)
        }
    }

    func check(
        input: UnsafeBufferPointer<Float>, batch: Int, imageSize: ImageSize,
        logits: UnsafeMutableBufferPointer<Float>
    ) throws(ModelError) {
        try InputLimits.check(imageSize, batch: batch)
        try model.check("the input", count: input.count, needed: batch * model.inputChannels * imageSize.area)
        try model.check("the logits", count: logits.count, needed: batch * model.logitsCount(imageSize: imageSize))
    }
}
