import CETNet
import CETNetImaging
import Foundation
import TestSupport

/// A model that many callers share, with what it answers.
final class SoakSubject: Sendable {
    private let name: String
    private let model: Model
    /// Batches of one to three images of several sizes, with their logits.
    private let batches: [(images: Tensor, logits: [UInt32])]
    /// Files, with the probabilities of their predictions.
    private let files: [(bytes: [UInt8], probabilities: [UInt32])]

    init(variant: String) throws {
        name = variant
        let configuration = try Self.smallImages(ModelConfiguration(variant: variant))
        func load(_ options: Model.Options) throws -> Model {
            try Model(configuration: configuration, randomSeed: 7, options: options)
        }
        model = try load(Model.Options(threads: 2, concurrency: 2))
        // Another model, one thread, one image at a time.
        let reference = try load(Model.Options(threads: 1, concurrency: 1))
        batches = try [(1, 64, 64), (3, 64, 64), (2, 71, 90), (1, 128, 96), (1, 33, 47)].map { batch, height, width in
            let pixels = (0..<batch * 3 * height * width).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
            let images = try Tensor(shape: [batch, 3, height, width], values: pixels)
            let single = 3 * height * width
            let logits = try (0..<batch).flatMap {
                try reference.logits(
                    Tensor(shape: [1, 3, height, width], values: Array(pixels[$0 * single..<($0 + 1) * single]))
                ).values
            }
            return (images, logits.map(\.bitPattern))
        }
        files = try (0..<4).map { seed in
            let bytes = PNGImage.pattern(width: 80 + 40 * seed, height: 100, seed: seed)
            return (bytes, try reference.classify(.encoded(bytes), top: 5).map(\.probability.bitPattern))
        }
    }

    /// The same at 64×64, so that there are many runs.
    private static func smallImages(_ configuration: ModelConfiguration) throws -> ModelConfiguration {
        let text = String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
        let small = text.replacing(#/"image_size" ?: ?[0-9]+/#, with: "\"image_size\": 64")
        return try ModelConfiguration(json: Data(small.utf8), source: "the configuration")
    }

    /// One call that blocks.
    func blockOne(_ counts: SoakCounts, using random: inout some RandomNumberGenerator) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: refuse(counts) { _ = try self.model.logits(Tensor(zeros: [1, 2, 64, 64])) }
        case 1:
            let bytes = Array(files[0].bytes.dropLast(Int.random(in: 20...200, using: &random)))
            refuse(counts) { _ = try self.model.classify(.encoded(bytes)) }
        case 2, 3:
            let file = files.randomElement(using: &random)!
            let found = try? model.classify(.encoded(file.bytes), top: 5)
            counts.count(isRight: found?.map(\.probability.bitPattern) == file.probabilities, "\(name), a file")
        default:
            let batch = batches.randomElement(using: &random)!
            let found = try? model.logits(batch.images)
            counts.count(
                isRight: found?.values.map(\.bitPattern) == batch.logits, "\(name), images of \(batch.images.shape)")
        }
    }

    /// One call that awaits; one in four is cancelled at some time.
    func awaitOne(_ counts: SoakCounts, using random: inout some RandomNumberGenerator) async {
        let batch = batches.randomElement(using: &random)!
        let file = files.randomElement(using: &random)!
        let isFile = Bool.random(using: &random)
        let task = Task { [model] in
            isFile
                ? try await model.async.classify(.encoded(file.bytes), top: 5).map(\.probability.bitPattern)
                : try await model.async.logits(batch.images).values.map(\.bitPattern)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            try? await Task.sleep(for: .microseconds(Int.random(in: 0...20_000, using: &random)))
            task.cancel()
        }
        switch await task.result {
        case .success(let found):
            counts.count(isRight: found == (isFile ? file.probabilities : batch.logits), "\(name), awaited")
        case .failure(ModelError.cancelled): counts.cancelled.add(1, ordering: .relaxed)
        case .failure(let error): counts.count(isRight: false, "\(name), awaited: \(error)")
        }
    }

    private func refuse(_ counts: SoakCounts, _ call: () throws -> Void) {
        do {
            try call()
            counts.count(isRight: false, "\(name) took a bad input")
        } catch is ModelError {
            counts.refused.add(1, ordering: .relaxed)
        } catch is ImageError {
            counts.refused.add(1, ordering: .relaxed)
        } catch {
            counts.count(isRight: false, "\(name): \(error)")
        }
    }
}
