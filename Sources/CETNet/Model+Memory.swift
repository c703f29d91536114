import CETNetEngine
import CETNetGraph

extension Model {
    /// Runs images in memory of the caller's, for callers that keep arrays of their own: nothing is copied.
    ///
    /// As ``logits(_:)`` and ``features(_:)``, any number of threads may call it, and any number of images may be given.
    /// - Parameters:
    ///   - input: float32 (batch, 3, height, width), normalised.
    ///   - batch: how many images, 1 or more.
    ///   - imageSize: their height and width.
    ///   - logits: receives float32 (batch, labels), of a segmentation model (batch, labels, ⌈height/4⌉, ⌈width/4⌉); may
    ///     have room for more. `nil` to keep none.
    ///   - features: for each stage, receives float32 (batch, channels, height, width), in the shapes of
    ///     ``outputs(imageSize:)``; `nil` to keep none.
    /// - Throws: ``ModelError`` for a size or batch that cannot be run and for a buffer that is too small;
    ///   ``ModelError/noClassifier(missing:)`` if there are no logits to give.
    public func run(
        input: UnsafeBufferPointer<Float>, batch: Int, imageSize: ImageSize,
        logits: UnsafeMutableBufferPointer<Float>?, features: [UnsafeMutableBufferPointer<Float>]? = nil
    ) throws(ModelError) {
        if logits != nil || features == nil { try requireHead() }
        try InputLimits.check(imageSize)
        let (needed, overflow) = batch.multipliedReportingOverflow(by: inputChannels * imageSize.area)
        guard batch >= 1, !overflow else { throw .option(name: "batch", allowed: "1 or more", found: batch) }
        try check("the input", count: input.count, needed: needed)
        try check(features, batch: batch, imageSize: imageSize)
        let logitsCount = batch * logitsCount(imageSize: imageSize)
        var unwanted = try Tensor(zeroed: [logits == nil ? max(1, logitsCount) : 0])
        try unwanted.withUnsafeMutableValues { unwanted throws(ModelError) in
            let logits = logits ?? unwanted
            try check("the logits", count: logits.count, needed: logitsCount)
            try run(
                input.baseAddress!, batch: batch, size: imageSize, logits: logits.baseAddress!,
                features: features?.map { $0.baseAddress! })
        }
    }

    /// Runs any number of images, as many at once as keep the threads busy. Sizes and rooms are checked already.
    func run(
        _ input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: [UnsafeMutablePointer<Float>]?
    ) throws(ModelError) {
        let counts = features == nil ? [] : frozen.featureShapes(size: size).map { $0.reduce(1, *) }
        let logitsCount = logitsCount(imageSize: size)
        let largest = InputLimits.imagesPerRun(size, threads: threads)
        for start in stride(from: 0, to: batch, by: largest) {
            let maps = features.map { zip($0, counts).map { $0 + start * $1 } }
            try sessions.withSession { session throws(ModelError) in
                try (maps ?? []).withUnsafeBufferPointer { buffer throws(ModelError) in
                    try session.run(
                        input: input + start * inputChannels * size.area, batch: min(largest, batch - start),
                        size: size, logits: logits + start * logitsCount,
                        features: maps == nil ? nil : buffer.baseAddress!)
                }
            }
        }
    }

    /// Checks that each stage's map has room.
    func check(
        _ features: [UnsafeMutableBufferPointer<Float>]?, batch: Int, imageSize: ImageSize
    ) throws(ModelError) {
        guard let features else { return }
        let shapes = frozen.featureShapes(size: imageSize)
        guard features.count == shapes.count else {
            throw .option(name: "the count of feature maps", allowed: "\(shapes.count)", found: features.count)
        }
        for (stage, (buffer, shape)) in zip(features, shapes).enumerated() {
            try check("feature map \(stage + 1)", count: buffer.count, needed: batch * shape.reduce(1, *))
        }
    }

    /// Checks that a buffer has room.
    func check(_ what: String, count: Int, needed: Int) throws(ModelError) {
        guard count >= needed else { throw .buffer(of: what, needed: needed, found: count) }
    }
}
