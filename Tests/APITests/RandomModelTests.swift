import CETNet
import Foundation
import TestSupport
import Testing

@Suite struct RandomModelTests {
    @Test func theSameSeedGivesTheSameBytes() throws {
        let directory = try TemporaryDirectory()
        let configuration = try tinyConfiguration()
        for (name, seed) in [("a", 7), ("b", 7), ("c", 8)] as [(String, UInt64)] {
            try configuration.writeRandomModel(seed: seed, to: directory.url.appendingPathComponent(name))
        }
        func weights(_ name: String) throws -> Data {
            try Data(contentsOf: directory.url.appendingPathComponent("\(name)/model.safetensors"))
        }
        #expect(try weights("a") == weights("b"))
        #expect(try weights("a") != weights("c"))
    }

    @Test func withoutBlocking() async throws {
        let directory = try TemporaryDirectory()
        let configuration = try tinyConfiguration()
        try await Model.writeRandomModel(of: configuration, seed: 7, to: directory.url)
        let written = try await Model.load(contentsOf: directory.url)
        let made = try await Model.load(configuration: configuration, randomSeed: 7)
        let batch = try images(1, 64, 64)
        #expect(try await written.async.logits(batch) == made.async.logits(batch))
        let variant = try await Model.load(variant: "cetnet-t-ce1", randomSeed: 1)
        #expect(variant.configuration.variant == "cetnet-t-ce1")
    }

    @Test func anExistingModelIsNotReplacedUnasked() throws {
        let directory = try TemporaryDirectory()
        let configuration = try tinyConfiguration()
        try configuration.writeRandomModel(seed: 1, to: directory.url)
        let before = try Data(contentsOf: directory.url.appendingPathComponent("model.safetensors"))
        #expect(throws: ModelError.fileExists(path: directory.path("config.json"))) {
            try configuration.writeRandomModel(seed: 2, to: directory.url)
        }
        #expect(try Data(contentsOf: directory.url.appendingPathComponent("model.safetensors")) == before)
        try configuration.writeRandomModel(seed: 2, to: directory.url, replacing: true)
        #expect(try Data(contentsOf: directory.url.appendingPathComponent("model.safetensors")) != before)
    }

    /// Through the depth of the real network, not the tiny one's.
    @Test func activationsNeitherVanishNorExplode() throws {
        let model = try Model(variant: "cetnet-t", randomSeed: 3)
        let (logits, features) = try model.logitsAndFeatures(images(2, 64, 64))
        for (stage, map) in features.enumerated() {
            let meanSquare = map.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(map.values.count)
            #expect(meanSquare > 0.1 && meanSquare < 100, "stage \(stage + 1): mean square \(meanSquare)")
        }
        let largest = logits.values.map(abs).max()!
        #expect(largest > 0.1 && largest < 100, "largest logit \(largest)")
        // The image still matters at the end.
        let distance = zip(logits[row: 0], logits[row: 1]).map { abs($0 - $1) }.max()!
        #expect(distance > 1e-3 * largest, "two images' logits differ by \(distance) of \(largest)")
    }
}
