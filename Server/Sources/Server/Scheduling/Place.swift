import CETNet
import CETNetImaging

/// A place where one thing is computed at a time, with a session for each model.
///
/// Safe to send because the ``Scheduler`` gives a place to one thread at a time.
final class Place: @unchecked Sendable {
    private let sessions: [Session]
    private let decoder: ImageDecoder

    /// - Throws: `ModelError` where there is no memory.
    init(models: [ServedModel], threads: Int, batch: Int, decoder: ImageDecoder) throws {
        self.decoder = decoder
        sessions = try models.map { served in
            let session = try Session(served.model, threads: threads)
            // So that the first requests are as fast as those that follow.
            try session.prepare(imageSize: ImageSize(square: served.model.configuration.imageSize), batch: batch)
            return session
        }
    }

    /// Decodes an image and makes it what the model sees.
    func decode(_ bytes: [UInt8], name: String, for served: ServedModel) throws -> ImageInput {
        let tensor = try served.model.preprocess(.encoded(bytes, name: name, decoder: decoder))
        return .tensor(tensor.values, ImageSize(height: tensor.shape[2], width: tensor.shape[3]))
    }

    /// Runs images of one size.
    func run(_ images: [[Float]], size: ImageSize, on served: ServedModel, features: Bool) throws -> [ImageOutput] {
        let model = served.model
        let outputs = OutputNames(model)
        let counts = features ? try outputs.maps(size: size).map { $0.shape.reduce(1, *) } : []
        let labels = try outputs.logitsShape(size: size).map { $0.reduce(1, *) } ?? 0
        let input = images.count == 1 ? images[0] : images.flatMap { $0 }
        var logits = [Float](repeating: 0, count: max(images.count * labels, model.configuration.numLabels))
        let maps = counts.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: images.count * $0) }
        defer { for map in maps { map.deallocate() } }
        try input.withUnsafeBufferPointer { input in
            try logits.withUnsafeMutableBufferPointer { logits in
                try sessions[served.index].run(
                    input: input, batch: images.count, imageSize: size, logits: logits,
                    features: features ? maps : nil)
            }
        }
        return images.indices.map { image in
            ImageOutput(
                logits: Array(logits[image * labels..<(image + 1) * labels]),
                features: zip(maps, counts).map { Array($0[image * $1..<(image + 1) * $1]) }, size: size)
        }
    }
}
