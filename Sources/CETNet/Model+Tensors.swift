import CETNetGraph

extension Model {
    /// The logits of normalised images.
    ///
    /// NaN and infinity are not looked for: where an image holds them its own logits become NaN, never those of the
    /// other images.
    /// - Parameter batch: (batch, 3, height, width), as ``preprocess(_:)`` makes it; any size from 32×32.
    /// - Returns: (batch, labels).
    /// - Throws: ``ModelError/shape(of:expected:found:)`` and ``ModelError/imageSize(_:allowed:)``.
    public func logits(_ batch: Tensor) throws(ModelError) -> Tensor {
        try run(batch, features: false).logits
    }

    /// The feature maps of the stages, each before the final norm: what detection and segmentation heads take.
    ///
    /// Their sides are about 1/4, 1/8, 1/16 and 1/32 of the image's, rounded up for convolutional embeddings.
    /// - Parameter batch: (batch, 3, height, width), as ``preprocess(_:)`` makes it; any size from 32×32.
    /// - Returns: for each stage, (batch, channels, height, width).
    /// - Throws: ``ModelError/shape(of:expected:found:)`` and ``ModelError/imageSize(_:allowed:)``.
    public func features(_ batch: Tensor) throws(ModelError) -> [Tensor] {
        try run(batch, features: true).features
    }

    /// Both ``logits(_:)`` and ``features(_:)`` of one run.
    public func logitsAndFeatures(_ batch: Tensor) throws(ModelError) -> (logits: Tensor, features: [Tensor]) {
        try run(batch, features: true)
    }

    /// Shapes of the feature maps for one image of a size: (channels, height, width) of each stage.
    /// - Throws: ``ModelError/imageSize(_:allowed:)``.
    public func featureShapes(imageSize: ImageSize) throws(ModelError) -> [[Int]] {
        try InputLimits.check(imageSize)
        return frozen.featureShapes(size: imageSize)
    }

    private func run(
        _ batch: Tensor, features wantsFeatures: Bool
    ) throws(ModelError) -> (logits: Tensor, features: [Tensor]) {
        guard batch.shape.count == 4, batch.shape[0] > 0, batch.shape[1] == 3 else {
            throw .shape(of: "an image batch", expected: "(batch, 3, height, width)", found: batch.shape)
        }
        let count = batch.shape[0]
        let size = ImageSize(height: batch.shape[2], width: batch.shape[3])
        let shapes = try featureShapes(imageSize: size)
        var logits = Tensor(zeros: [count, configuration.numLabels])
        var features = wantsFeatures ? shapes.map { Tensor(zeros: [count] + $0) } : []
        let imageCount = batch.values.count / count
        let largest = InputLimits.imagesPerRun(size, threads: threads)

        for start in stride(from: 0, to: count, by: largest) {
            let images = min(largest, count - start)
            try sessions.withSession { session throws(ModelError) in
                try batch.values.withUnsafeBufferPointer { input throws(ModelError) in
                    try logits.withUnsafeMutableValues { output throws(ModelError) in
                        try withPointers(to: &features) { maps throws(ModelError) in
                            let maps = zip(maps, shapes).map { $0 + start * $1.reduce(1, *) }
                            try maps.withUnsafeBufferPointer { maps throws(ModelError) in
                                try session.run(
                                    input: input.baseAddress! + start * imageCount, batch: images, size: size,
                                    logits: output.baseAddress! + start * configuration.numLabels,
                                    features: wantsFeatures ? maps.baseAddress! : nil)
                            }
                        }
                    }
                }
            }
        }
        return (logits, features)
    }
}

/// Calls `body` with the addresses of the tensors' numbers, all valid at the same time.
private func withPointers(
    to tensors: inout [Tensor], from first: Int = 0, _ pointers: [UnsafeMutablePointer<Float>] = [],
    _ body: ([UnsafeMutablePointer<Float>]) throws(ModelError) -> Void
) throws(ModelError) {
    guard first < tensors.count else { return try body(pointers) }
    // Taken out of the array for as long as its address is in use, so that the rest of the array stays accessible.
    var tensor = tensors[first]
    tensors[first] = Tensor(zeros: [0])
    defer { tensors[first] = tensor }
    try tensor.withUnsafeMutableValues { buffer throws(ModelError) in
        try withPointers(to: &tensors, from: first + 1, pointers + [buffer.baseAddress!], body)
    }
}
