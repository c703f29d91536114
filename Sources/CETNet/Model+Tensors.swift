import CETNetCheckpoint
import CETNetEngine
import CETNetGraph

/// What a tensor that goes into a model or comes out of it is called, and what it looks like.
public struct TensorDescription: Sendable, Hashable {
    /// The name, by which ``Model/run(_:outputs:)`` takes and gives the tensor.
    public let name: String
    /// Extent of each axis; `nil` where any extent goes, such as that of the batch.
    public let shape: [Int?]
    /// The type of its numbers.
    public let elementType: ElementType
}

extension Model {
    /// What the model gives for images of a size: for each stage, `stage1`, `stage2`, …, its feature map, (batch,
    /// channels, height, width), normalised in a segmentation model; and `logits` where there is a head: (batch, labels),
    /// of a segmentation model (batch, labels, ⌈height/4⌉, ⌈width/4⌉).
    /// - Throws: ``ModelError/imageSize(_:allowed:)``.
    public func outputs(imageSize: ImageSize) throws(ModelError) -> [TensorDescription] {
        try InputLimits.check(imageSize)
        return frozen.outputs(size: imageSize).map {
            TensorDescription(name: $0, shape: [nil] + $1, elementType: .f32)
        }
    }

    /// Runs the model on tensors by name.
    /// - Parameters:
    ///   - inputs: exactly those that ``inputs`` names.
    ///   - names: which of ``outputs(imageSize:)`` to return; `nil` for all.
    /// - Throws: ``ModelError/noTensor(name:known:)``, and what ``logits(_:)`` throws.
    public func run(
        _ inputs: [String: Tensor], outputs names: Set<String>? = nil
    ) throws(ModelError) -> [String: Tensor] {
        let input = self.inputs[0].name
        if let name = inputs.keys.first(where: { $0 != input }) { throw .noTensor(name: name, known: [input]) }
        guard let images = inputs[input] else { throw .noTensor(name: input, known: []) }
        let known = frozen.featureNames + (hasClassifier ? [FrozenNetwork.logitsName] : [])
        if let name = names?.first(where: { !known.contains($0) }) { throw .noTensor(name: name, known: known) }
        let (logits, features) = try run(images, features: names != [FrozenNetwork.logitsName])
        var outputs = Dictionary(uniqueKeysWithValues: zip(frozen.featureNames, features))
        if hasClassifier { outputs[FrozenNetwork.logitsName] = logits }
        return outputs.filter { names?.contains($0.key) ?? true }
    }

    /// The logits of normalised images.
    ///
    /// NaN and infinity are not looked for: where an image holds them its own logits become NaN, never those of the
    /// other images.
    /// - Parameter batch: (batch, 3, height, width), as ``preprocess(_:)-(Image)`` makes it; any size from 32×32.
    /// - Returns: (batch, labels); of a segmentation model (batch, labels, ⌈height/4⌉, ⌈width/4⌉).
    /// - Throws: ``ModelError/shape(of:expected:found:)``, ``ModelError/imageSize(_:allowed:)``,
    ///   ``ModelError/noClassifier(missing:)`` and ``ModelError/outOfMemory(bytes:)``.
    public func logits(_ batch: Tensor) throws(ModelError) -> Tensor {
        try requireHead()
        return try run(batch, features: false).logits
    }

    /// The feature maps of the stages, each before the final norm: what detection and segmentation heads take.
    ///
    /// Their sides are about 1/4, 1/8, 1/16 and 1/32 of the image's, rounded up for convolutional embeddings.
    /// - Parameter batch: (batch, 3, height, width), as ``preprocess(_:)-(Image)`` makes it; any size from 32×32.
    /// - Returns: for each stage, (batch, channels, height, width).
    /// - Throws: what ``logits(_:)`` throws.
    public func features(_ batch: Tensor) throws(ModelError) -> [Tensor] { try run(batch, features: true).features }

    /// Both ``logits(_:)`` and ``features(_:)`` of one run.
    public func logitsAndFeatures(_ batch: Tensor) throws(ModelError) -> (logits: Tensor, features: [Tensor]) {
        try requireHead()
        return try run(batch, features: true)
    }

    /// Prepares every run that the model can do at the same time, so that the first ones of images of a size are as
    /// fast as those that follow.
    /// - Parameters:
    ///   - imageSize: `nil` for the size that the configuration names.
    ///   - batch: how many images will run together.
    /// - Throws: ``ModelError`` for a size or batch that cannot be run.
    public func warmUp(imageSize: ImageSize? = nil, batch: Int = 1) throws(ModelError) {
        let size = imageSize ?? ImageSize(square: configuration.imageSize)
        try InputLimits.check(size, batch: batch)
        let count = min(batch, InputLimits.imagesPerRun(size, threads: threads))
        let images = try Tensor(zeroed: [count, inputChannels, size.height, size.width])
        var logits = try Tensor(zeroed: [count, logitsCount(imageSize: size)])
        try sessions.withEverySession { session throws(ModelError) in
            try logits.withUnsafeMutableValues { logits throws(ModelError) in
                try session.run(input: images.values, batch: count, size: size, logits: logits.baseAddress!)
            }
        }
    }

    /// How many numbers the logits of one image of a size are; 0 without a head.
    package func logitsCount(imageSize: ImageSize) -> Int {
        // Asked before every run, so without the network's graph for the size.
        guard frozen.outputNames.contains(FrozenNetwork.logitsName) else { return 0 }
        let positions = configuration.task == .classification ? 1 : logitsSize(imageSize).area
        return configuration.numLabels * positions
    }

    /// The shape of the logits of one image of a size: (labels), of a segmentation model (labels, ⌈H/4⌉, ⌈W/4⌉); (0)
    /// without a head.
    func logitsShape(imageSize: ImageSize) -> [Int] {
        guard frozen.outputNames.contains(FrozenNetwork.logitsName) else { return [0] }
        let size = logitsSize(imageSize)
        return [configuration.numLabels] + (configuration.task == .classification ? [] : [size.height, size.width])
    }

    private func logitsSize(_ size: ImageSize) -> ImageSize {
        ImageSize(height: (size.height + 3) / 4, width: (size.width + 3) / 4)
    }

    func imageSize(of batch: Tensor) throws(ModelError) -> ImageSize {
        guard batch.shape.count == 4, batch.shape[0] > 0, batch.shape[1] == inputChannels else {
            throw .shape(
                of: "an image batch", expected: "(batch, \(inputChannels), height, width)", found: batch.shape)
        }
        return ImageSize(height: batch.shape[2], width: batch.shape[3])
    }

    /// - Parameter rows: which images of the batch to run; `nil` for all.
    func run(
        _ batch: Tensor, rows: Range<Int>? = nil, features wantsFeatures: Bool
    ) throws(ModelError) -> (logits: Tensor, features: [Tensor]) {
        let size = try imageSize(of: batch)
        try InputLimits.check(size)
        let shapes = wantsFeatures ? frozen.featureShapes(size: size) : []
        let rows = rows ?? 0..<batch.shape[0]
        let logitsShape = logitsShape(imageSize: size)
        var logits = try Tensor(zeroed: [rows.count] + logitsShape)
        var features = try shapes.map { shape throws(ModelError) in try Tensor(zeroed: [rows.count] + shape) }
        let imageCount = batch.values.count / batch.shape[0]
        try batch.values.withUnsafeBufferPointer { input throws(ModelError) in
            try logits.withUnsafeMutableValues { output throws(ModelError) in
                try withPointers(to: &features) { maps throws(ModelError) in
                    try run(
                        input.baseAddress! + rows.lowerBound * imageCount, batch: rows.count, size: size,
                        logits: output.baseAddress!, features: wantsFeatures ? maps : nil)
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
