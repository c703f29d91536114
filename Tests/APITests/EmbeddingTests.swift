import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// Beside these, `PublicCheckpointTests` compare with the packages' own.
@Suite struct EmbeddingTests {
    /// The head's product with the embedding is the logits, for a mean over tokens and for a class token.
    @Test(arguments: ["tiny", "cswin-t", "cvt-13", "pvt-s"]) func theHeadMakesLogitsOfThem(variant: String) throws {
        let directory = try TemporaryDirectory()
        var configuration = try variant == "tiny" ? tinyConfiguration() : ModelConfiguration(variant: variant)
        configuration.depths = configuration.depths.map { _ in 1 }
        configuration.setLabelCount(5)
        try configuration.writeRandomModel(seed: 3, to: directory.url, replacing: true)
        let file = try SafetensorsFile(contentsOf: directory.url.appendingPathComponent("model.safetensors"))
        let (weight, bias) = (try file.values(of: "head.weight"), try file.values(of: "head.bias"))
        let model = try Model(contentsOf: directory.url)
        let embeddings = try model.embeddings(images(2, 64, 96))
        let logits = try model.logits(images(2, 64, 96))
        let dimension = model.embeddingDimension
        #expect(embeddings.shape == [2, dimension])
        for image in 0..<2 {
            let embedding = Array(embeddings[row: image])
            for label in 0..<5 {
                let product = (0..<dimension).reduce(Double(bias[label])) {
                    $0 + Double(weight[label * dimension + $1]) * Double(embedding[$1])
                }
                let logit = Double(Array(logits[row: image])[label])
                #expect(abs(product - logit) <= 1e-5 * max(1, abs(logit)), "\(label): \(product), logit \(logit)")
            }
        }
    }

    @Test(arguments: [Precision.float32, .int8]) func neitherBatchNorNeighboursNorThreadsMatter(
        precision: Precision
    ) async throws {
        for variant in ["tiny", "cvt-13"] {
            var configuration = try variant == "tiny" ? tinyConfiguration() : ModelConfiguration(variant: variant)
            configuration.depths = configuration.depths.map { _ in 1 }
            func model(_ threads: Int) throws -> Model {
                try Model(
                    configuration: configuration, randomSeed: 1,
                    options: Model.Options(precision: precision, threads: threads, concurrency: 1))
            }
            let (one, three) = (try model(1), try model(3))
            var batch = try images(5)
            let all = try three.embeddings(batch)
            for image in 0..<5 {
                let alone = try one.embeddings(images(1, seed: image))
                #expect(bits(alone.values) == bits(all[row: image]), "\(variant): image \(image)")
            }
            #expect(try await three.async.embeddings(batch) == all)
            // What is no number stays in its image.
            batch.withUnsafeMutableValues { $0[0] = .nan }
            let damaged = try three.embeddings(batch)
            #expect(damaged[row: 0].allSatisfy { $0.isNaN }, "\(variant)")
            let rest = one.embeddingDimension...
            #expect(bits(damaged.values[rest]) == bits(all.values[rest]), "\(variant)")
        }
    }

    @Test func imagesThatCannotBeReadDoNotStopOthers() async throws {
        let model = try tinyModel(threads: 2)
        let pictures = try (0..<5).map { Image.pixels(try picture(width: 80, height: 70, seed: $0)) }
        let broken = Image(name: "broken") { throw ModelError.cancelled }
        let list = pictures[..<2] + [broken] + pictures[2...]
        let results = try model.embeddings(list, batch: 2)
        #expect(results.count == 6 && (try? results[2].get()) == nil)
        for (index, image) in list.enumerated() where index != 2 {
            #expect(try results[index].get() == model.embeddings(model.preprocess(image)).values, "image \(index)")
        }
        var order: [Int] = []
        try model.embeddings(list, batch: 2) { index, _ in order.append(index) }
        #expect(order == Array(0..<6))
        let later = try await model.async.embeddings(list, batch: 2)
        #expect(later.map { try? $0.get() } == results.map { try? $0.get() })
        #expect(throws: ModelError.self) { try model.embeddings(list, batch: 0) }
        #expect(throws: ModelError.self) { try model.embeddings(Tensor(zeros: [0, 3, 64, 64])) }
        #expect(throws: ModelError.self) { try model.embeddings(Tensor(zeros: [])) }
    }
}
