import CETNet
import CETNetCheckpoint
import CETNetNetworks
import CETNetPublicCheckpoints
import Foundation
import TestSupport
import Testing

/// Files from strangers: refused with a typed error or built, never a crash.
@Suite struct HostileFileTests {
    private static let processor =
        #"{"size": {"height": 224, "width": 224}, "do_center_crop": true, "crop_size": 200, "rescale_factor": 0.01}"#
    static let files = [
        (
            #"{"model_type": "swin", "embed_dim": 16, "depths": [1, 2, 3, 1], "num_heads": [1, 2, 4, 8], "#
                + #""window_size": 7, "mlp_ratio": 4.0, "image_size": 224, "id2label": {"0": "a", "1": "b", "2": "c"}}"#,
            processor
        ),
        (
            #"{"model_type": "pvt", "hidden_sizes": [8, 16, 32, 64], "depths": [1, 2, 1, 1], "image_size": 200, "#
                + #""num_attention_heads": [1, 2, 4, 8], "mlp_ratios": [8, 8, 4, 4], "layer_norm_eps": 1e-6}"#,
            processor
        ),
        (
            #"{"model_type": "cvt", "embed_dim": [8, 16, 32], "depth": [1, 2, 3], "num_heads": [1, 2, 4], "#
                + #""mlp_ratio": [4.0, 2.0, 4.0], "kernel_qkv": [3, 3, 3]}"#,
            #"{"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 3, "image_mean": [0.4, 0.5, 0.6]}"#
        ),
        (
            #"{"architecture": "swin_tiny_patch4_window7_224", "model_args": {"embed_dim": 16, "window_size": [7, 7]}, "#
                + #""pretrained_cfg": {"input_size": [3, 224, 224], "crop_pct": 0.9, "label_names": ["a", "b", "c"]}}"#,
            "{}"
        ),
    ]

    @Test(arguments: files.indices) func mutationsNeverCrash(index: Int) throws {
        let (configuration, processor) = Self.files[index]
        var accepted = 0
        for seed in 0..<600 {
            // One of the two at a time.
            let isOfProcessor = seed % 3 == 0 && processor != "{}"
            let first = isOfProcessor ? Array(configuration.utf8) : mutatedJSON(Array(configuration.utf8), seed: seed)
            let second = isOfProcessor ? mutatedJSON(Array(processor.utf8), seed: seed) : Array(processor.utf8)
            do {
                let files = PublicConfiguration.Files(
                    configuration: try ModelConfiguration.parse(json: Data(first), source: "mutated"),
                    source: "mutated",
                    preprocessor: try ModelConfiguration.parse(json: Data(second), source: "mutated"),
                    preprocessorSource: "mutated")
                guard let found = try PublicConfiguration(files, labelCount: { _ in 3 }) else { continue }
                // Whatever passes is a model that this project can write down and read again.
                _ = try Network(found.model).graph(imageSize: ImageSize(square: 64))
                let json = try found.model.json()
                #expect(try ModelConfiguration(json: json, source: "") == found.model, "seed \(seed)")
                accepted += 1
            } catch {
                let isTyped = error is ConfigurationError
                #expect(isTyped, "seed \(seed): \(error)")
            }
        }
        #expect((10..<500).contains(accepted), "\(accepted) accepted")
    }

    /// A classifier of more rows than there is memory for names, in a file of a few bytes.
    @Test(arguments: [(0, "0 rows"), (1 << 40, "1099511627776 rows")])
    func absurdClassifiersAreRefused(rows: Int, expected: String) {
        for text in [#"{"model_type": "swin"}"#, #"{"architecture": "swin_tiny_patch4_window7_224"}"#] {
            let found = message { try publicConfiguration(text, labels: rows) }
            #expect(found.contains("expected 1 to 1000000 labels, found \(expected)"), "\(found)")
        }
    }

    /// As `CvtModel` and `CvtForImageClassification` without its classifier are saved.
    @Test(arguments: ["", "cvt."], [false, true])
    func aBackboneWithoutClassifierGivesFeatures(prefix: String, keepsNorm: Bool) throws {
        let directory = try TemporaryDirectory()
        let layout = Layout.all.first { $0.name == "Transformers' CvT" }!
        let configuration = try smallConfiguration(.cvt, labels: 1000)
        let whole = try tensors(of: configuration, in: layout, directory: directory)
        let text = #"{"model_type": "cvt", "embed_dim": [8, 16, 32], "depth": [2, 1, 3], "num_heads": [2, 2, 4]}"#
        let backbone = whole.filter {
            !$0.name.hasPrefix("classifier") && (keepsNorm || !$0.name.hasPrefix("layernorm."))
        }.map { ($0.name.hasPrefix("cvt.") ? prefix + $0.name.dropFirst(4) : $0.name, $0.shape, $0.values) }
        let model = try Model(contentsOf: write(backbone, configuration: Data(text.utf8), to: directory, "backbone"))
        let reference = try Model(contentsOf: write(whole, configuration: Data(text.utf8), to: directory, "whole"))
        #expect(!model.hasClassifier && reference.hasClassifier)
        let images = try image(64)
        #expect(try model.features(images).map(\.values) == reference.features(images).map(\.values))
        #expect(try model.run(["image": images]).keys.sorted() == ["stage1", "stage2", "stage3"])
        let expected =
            "the model has no classifier (missing: classifier.weight, classifier.bias): "
            + "it gives feature maps only"
        #expect(message { try model.logits(images) } == expected)
        #expect(message { try model.classify(images) } == expected)
        #expect(message { try model.classify([CETNet.Image]()) } == expected)
    }

    @Test func halfAClassifierIsAnError() throws {
        let directory = try TemporaryDirectory()
        let layout = Layout.all.first { $0.name == "Transformers' CvT" }!
        let tensors = try tensors(of: smallConfiguration(.cvt, labels: 1000), in: layout, directory: directory)
            .filter { $0.name != "classifier.bias" }
        let text = #"{"model_type": "cvt", "embed_dim": [8, 16, 32], "depth": [2, 1, 3], "num_heads": [2, 2, 4]}"#
        let url = try write(tensors, configuration: Data(text.utf8), to: directory, "half")
        let found = message { try Model(contentsOf: url) }
        #expect(found.contains("recognised as Transformers' CvT"), "\(found)")
        #expect(found.contains("1 missing (classifier.bias)"), "\(found)")
    }
}
