import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// Small random models that Transformers, timm and torchvision made and saved themselves
/// (`Tools/python/make_public_fixtures.py`), against these packages' logits in double precision.
@Suite struct FixtureTests {
    static let layouts = [
        "transformers-swin": "Transformers' Swin", "transformers-pvt": "Transformers' PVT",
        "transformers-cvt": "Transformers' CvT", "timm-swin": "timm's Swin Transformer",
        "torchvision-swin": "torchvision's Swin Transformer",
    ]

    private func url(_ name: String) -> URL {
        Bundle.module.resourceURL!.appendingPathComponent("Fixtures").appendingPathComponent(name)
    }

    @Test(arguments: layouts.keys.sorted()) func logitsAreThePackages(name: String) throws {
        let expected = try SafetensorsFile(contentsOf: url(name + ".expected.safetensors"))
        let images = try Tensor(
            shape: #require(expected.shape(of: "images")), values: expected.values(of: "images"))
        let logits = try expected.values(of: "logits")
        // As in the other comparisons with PyTorch: about thirty layers, each some units in the last place.
        let tolerance = 1e-5 * max(1, logits.map(abs).max()!)
        for backend in [Backend.automatic, .openBLAS] {
            let model = try Model(
                contentsOf: url(name), options: Model.Options(backend: backend, threads: 2, concurrency: 1))
            let found = try model.logits(images)
            #expect(found.shape == expected.shape(of: "logits"))
            let difference = zip(found.values, logits).map { abs($0 - $1) }.max()!
            #expect(difference <= tolerance, "\(name): \(found.values), the package's \(logits)")
        }
        #expect(try ModelSummary(contentsOf: url(name)).layout == Self.layouts[name])
    }

    /// What the packages' classifiers read: `pooler_output` and the like.
    @Test(arguments: layouts.keys.sorted()) func embeddingsAreThePackages(name: String) throws {
        let expected = try SafetensorsFile(contentsOf: url(name + ".expected.safetensors"))
        let images = try Tensor(
            shape: #require(expected.shape(of: "images")), values: expected.values(of: "images"))
        let embeddings = try expected.values(of: "embeddings")
        let tolerance = 1e-5 * max(1, embeddings.map(abs).max()!)
        let model = try Model(contentsOf: url(name), options: Model.Options(threads: 2, concurrency: 1))
        let found = try model.embeddings(images)
        #expect(found.shape == expected.shape(of: "embeddings") && found.shape[1] == model.embeddingDimension)
        let difference = zip(found.values, embeddings).map { abs($0 - $1) }.max()!
        #expect(difference <= tolerance, "\(name): \(found.values), the package's \(embeddings)")

        // The same files without the classifier, as `SwinModel` and its like are saved, give the same bits.
        guard name.hasPrefix("transformers") else { return }
        let directory = try TemporaryDirectory()
        let file = try SafetensorsFile(contentsOf: url(name).appendingPathComponent("model.safetensors"))
        let prefix = name.dropFirst("transformers-".count) + "."
        let tensors = try file.tensors.filter {
            !$0.name.hasPrefix("classifier.") && !$0.name.hasSuffix(".num_batches_tracked")
        }.map { tensor -> NamedTensor in
            let name = tensor.name.hasPrefix(prefix) ? String(tensor.name.dropFirst(prefix.count)) : tensor.name
            return (name, tensor.shape, try file.values(of: tensor.name))
        }
        let configuration = try Data(contentsOf: url(name).appendingPathComponent("config.json"))
        let backbone = try Model(contentsOf: write(tensors, configuration: configuration, to: directory, "backbone"))
        #expect(!backbone.hasClassifier)
        #expect(try backbone.embeddings(images) == found)
        // Without the norm it is a new one: of mean 0 and deviation 1 at every position.
        let norms = ["layernorm.weight", "layernorm.bias", "encoder.layer_norm.weight", "encoder.layer_norm.bias"]
        let bare = try Model(
            contentsOf: write(
                tensors.filter { !norms.contains($0.name) }, configuration: configuration, to: directory, "bare"))
        let mean = try bare.embeddings(images).values.reduce(0, +) / Float(found.values.count)
        #expect(abs(mean) < 1e-5, "\(mean)")
    }

    /// Rounded once and for all, under this project's names.
    @Test(arguments: layouts.keys.sorted()) func quantisedTheyAreTheSame(name: String) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("cetnet-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try Model.quantize(contentsOf: url(name), precision: .int8, to: directory)
        let file = try SafetensorsFile(contentsOf: url(name + ".expected.safetensors"))
        let images = try Tensor(shape: #require(file.shape(of: "images")), values: file.values(of: "images"))
        let expected = try Model(contentsOf: url(name), options: Model.Options(precision: .int8)).logits(images)
        let model = try Model(contentsOf: directory)
        #expect(try model.logits(images).values == expected.values)
        let summary = try model.summary()
        #expect(summary.layout == nil && model.precision == .int8)
        #expect(try summary.configuration.labels == ModelSummary(contentsOf: url(name)).configuration.labels)
        #expect(try summary.configuration.preprocess == ModelSummary(contentsOf: url(name)).configuration.preprocess)
    }

    @Test(arguments: layouts.keys.sorted()) func labelsAreThoseInTheFilesOrIndices(name: String) throws {
        let labels = try ModelSummary(contentsOf: url(name)).configuration.labels
        #expect(labels == (name.hasPrefix("transformers") ? ["a", "b", "c", "d", "e"] : ["0", "1", "2", "3", "4"]))
    }

    /// Transformers' UPerNet: its logits are those here, resized to the image.
    @Test func segmentation() throws {
        let expected = try SafetensorsFile(contentsOf: url("transformers-upernet.expected.safetensors"))
        let images = try Tensor(
            shape: #require(expected.shape(of: "images")), values: expected.values(of: "images"))
        let logits = try expected.values(of: "logits")
        let model = try Model(contentsOf: url("transformers-upernet"))
        #expect(
            model.configuration.labels == (0..<6).map { "class \($0)" } && model.configuration.task == .segmentation)
        #expect(
            model.configuration.preprocess
                == PreprocessConfiguration(
                    interpolation: .bilinear, cropFraction: 1, cropMode: .squash, cropRounding: .down))
        #expect(try ModelSummary(contentsOf: url("transformers-upernet")).layout == "Transformers' UPerNet with Swin")
        let map = try model.segment(images)[0]
        #expect(map.width == 64 && map.height == 64)
        for (pixel, label) in map.indices.enumerated() {
            let numbers = (0..<6).map { logits[$0 * 64 * 64 + pixel] }
            // Rounding decides near ties only.
            #expect(numbers.max()! - numbers[Int(label)] < 1e-4, "pixel \(pixel) has \(label): \(numbers)")
        }
        #expect(map.shares.count >= 3, "\(map.shares)")
    }

    @Test func preprocessingIsThatInTheFiles() throws {
        func preprocess(_ name: String) throws -> PreprocessConfiguration {
            let configuration = try ModelSummary(contentsOf: url(name)).configuration
            #expect(configuration.imageSize == 64)
            return configuration.preprocess
        }
        #expect(
            try preprocess("transformers-swin")
                == PreprocessConfiguration(
                    interpolation: .bicubic, cropFraction: 1, cropMode: .squash, cropRounding: .down,
                    mean: [0.48, 0.46, 0.41], standardDeviation: [0.27, 0.26, 0.28]))
        // Values are doubled before means are subtracted.
        #expect(
            try preprocess("transformers-pvt")
                == PreprocessConfiguration(
                    interpolation: .bilinear, cropFraction: 1, cropMode: .squash, cropRounding: .down,
                    mean: [0.5, 0.45, 0.4], standardDeviation: [0.5, 0.25, 0.2]))
        #expect(
            try preprocess("transformers-cvt")
                == PreprocessConfiguration(
                    interpolation: .lanczos, cropFraction: 0.875, cropMode: .center, cropRounding: .down,
                    mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225]))
        #expect(
            try preprocess("timm-swin")
                == PreprocessConfiguration(
                    interpolation: .bilinear, cropFraction: 0.95, cropMode: .squash, mean: [0.5, 0.4, 0.3],
                    standardDeviation: [0.5, 0.25, 0.3]))
    }
}
