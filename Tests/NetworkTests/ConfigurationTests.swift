import CETNetGraph
import CETNetNetworks
import CETNetPreprocessing
import Foundation
import TestSupport
import Testing

struct ConfigurationTests {
    private func parse(_ text: String) throws -> ModelConfiguration {
        try ModelConfiguration(json: Data(text.utf8), source: "config.json")
    }

    /// A configuration with these keys beside those that have no default.
    private func parse(with keys: String) throws -> ModelConfiguration {
        try parse(
            "{\"model_type\":\"cetnet\",\"dims\":[8,16,24,32],\"depths\":[1,2,3,4],\"num_heads\":[1,2,3,4]\(keys)}")
    }

    @Test func aVariantSetsEveryDefault() throws {
        for variant in Variant.all {
            let parsed = try parse("{\"model_type\": \"cetnet\", \"variant\": \"\(variant.name)\"}")
            #expect(parsed == variant.configuration)
            #expect(try ModelConfiguration(variant: variant.name) == parsed)
        }
        let b = try ModelConfiguration(variant: "cetnet-b")
        #expect(b.dims == [96, 192, 384, 768])
        #expect(b.depths == [2, 6, 28, 2])
        #expect(b.numHeads == [3, 6, 12, 24])
        #expect(b.stemChannels == [36, 72])
    }

    @Test func whatIsGivenReplacesTheVariants() throws {
        let parsed = try parse(
            #"{"model_type": "cetnet", "variant": "cetnet-b", "num_labels": 10, "depths": [1, 1, 1, 1], "#
                + #""image_size": 96}"#
        )
        var expected = try ModelConfiguration(variant: "cetnet-b")
        expected.setLabelCount(10)
        expected.depths = [1, 1, 1, 1]
        expected.imageSize = 96
        #expect(parsed == expected)
        #expect(parsed.labels == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    }

    @Test func withoutAVariantTheDefaultsAreCETNets() throws {
        let parsed = try parse(with: "")
        #expect(parsed.variant == nil)
        #expect(parsed.mlpRatios == [4, 4, 4, 4])
        #expect(parsed.block == .lewin)
        #expect(parsed.embeddings == [.ce, .ce, .ce, .ce])
        #expect(parsed.stemChannels == [24, 48])
        #expect(parsed.ceLayers == 5)
        #expect(parsed.ceUnit == .mbconv)
        #expect(parsed.windowSize == 7)
        #expect(parsed.imageSize == 224)
        #expect(parsed.numLabels == 1000)
        #expect(parsed.labels[999] == "999")
        #expect(parsed.hiddenActivation == .gelu)
        #expect(
            parsed.preprocess
                == PreprocessConfiguration(
                    interpolation: .bicubic, cropFraction: 0.9, mean: [0.485, 0.456, 0.406],
                    standardDeviation: [0.229, 0.224, 0.225]))
    }

    @Test func everyKeyIsRead() throws {
        let parsed = try parse(
            #"""
            {"model_type": "cetnet", "dims": [8, 16, 32, 64], "depths": [1, 2, 3, 4], "num_heads": [2, 4, 8, 16],
             "mlp_ratios": [1, 2, 3, 4], "block": "cswin", "embeddings": ["conv", "patch", "merge", "ce"],
             "stem_channels": [3, 5], "ce_layers": 7, "ce_unit": "se-resnet", "window_size": 12, "image_size": 384,
             "num_labels": 2, "id2label": {"1": "dog", "0": "cat"}, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-6,
             "preprocess": {"interpolation": "bilinear", "crop_pct": 1, "crop_mode": "squash", "crop_rounding": "down",
                            "mean": [0, 0.5, 1e-1], "std": [1, 2, 0.25]},
             "architectures": ["X"], "torch_dtype": "float32", "dtype": "float32", "transformers_version": "4",
             "_name_or_path": "", "label2id": {"cat": 0}}
            """#)
        #expect(
            parsed
                == ModelConfiguration(
                    dims: [8, 16, 32, 64], depths: [1, 2, 3, 4], numHeads: [2, 4, 8, 16], mlpRatios: [1, 2, 3, 4],
                    block: .cswin, embeddings: [.conv, .patch, .merge, .ce], stemChannels: [3, 5], ceLayers: 7,
                    ceUnit: .seResnet, windowSize: 12, imageSize: 384, labels: ["cat", "dog"],
                    hiddenActivation: .quickGELU, layerNormEpsilon: 1e-6,
                    preprocess: PreprocessConfiguration(
                        interpolation: .bilinear, cropFraction: 1, cropMode: .squash, cropRounding: .down,
                        mean: [0, 0.5, 0.1],
                        standardDeviation: [1, 2, 0.25])))
    }

    @Test func labelsSetTheirNumber() throws {
        let parsed = try parse(with: #", "id2label": {"0": "cat", "1": "dog", "2": "emu"}"#)
        #expect(parsed.labels == ["cat", "dog", "emu"])
        #expect(parsed.numLabels == 3)
    }

    /// CvT's blocks have three stages and another activation.
    @Test func aBlockBringsItsDefaults() throws {
        let parsed = try parse(
            #"{"model_type": "cetnet", "block": "cvt", "dims": [64, 192, 384], "depths": [1, 1, 10], "#
                + #""num_heads": [1, 3, 6]}"#
        )
        #expect(parsed.hiddenActivation == .quickGELU)
        #expect(parsed.mlpRatios == [4, 4, 4])
        #expect(parsed.embeddings == [.ce, .ce, .ce])
    }

    @Test func pythonAndSwiftReadTheSame() throws {
        let small = try ModelConfiguration(json: fixture("small.json"), source: "small.json")
        #expect(
            small
                == ModelConfiguration(
                    dims: [24, 40, 60, 96], depths: [1, 2, 3, 1], numHeads: [2, 5, 3, 8], mlpRatios: [1, 2, 3, 4],
                    stemChannels: [8, 12], windowSize: 5, imageSize: 96, labels: ["cat", "dog", "\"emu\"\n"]))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var configurations = Variant.all.map(\.configuration)
        configurations.append(try parse(with: #", "id2label": {"0": "käse \"\\\n\u0001", "1": "😀"}, "window_size": 3"#))
        configurations.append(
            smallConfiguration {
                $0.preprocess.mean = [0.1, 0.123456789, 1e-20]
                $0.preprocess.cropFraction = 0.875
                $0.preprocess.cropMode = .squash
                $0.preprocess.cropRounding = .down
                $0.layerNormEpsilon = 1e-12
                $0.ceUnit = .pureMB
                $0.block = .pvt
                $0.embeddings = [.patch, .patch, .merge, .ce]
                $0.setLabels((0..<12).map { "label \($0)" })
            })
        for configuration in configurations {
            let json = try configuration.json()
            #expect(try ModelConfiguration(json: json, source: "x") == configuration)
            #expect(try ModelConfiguration(json: json, source: "x").json() == json)
        }
    }

    @Test func bytesAreStable() throws {
        let json = try String(decoding: smallConfiguration { $0.setLabels(["b", "a"]) }.json(), as: UTF8.self)
        #expect(
            json == """
                {
                  "block": "lewin",
                  "ce_layers": 5,
                  "ce_unit": "mbconv",
                  "depths": [1, 1, 1, 1],
                  "dims": [8, 16, 24, 32],
                  "embeddings": ["ce", "ce", "ce", "ce"],
                  "hidden_act": "gelu",
                  "id2label": {
                    "0": "b",
                    "1": "a"
                  },
                  "image_size": 224,
                  "mlp_ratios": [4, 4, 4, 4],
                  "model_type": "cetnet",
                  "num_heads": [1, 2, 3, 4],
                  "num_labels": 2,
                  "preprocess": {
                    "crop_pct": 0.9,
                    "interpolation": "bicubic",
                    "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225]
                  },
                  "stem_channels": [4, 6],
                  "window_size": 7
                }

                """)
        #expect(
            try !String(decoding: ModelConfiguration(variant: "cetnet-t").json(), as: UTF8.self).contains("id2label"))
    }

    @Test func aConfigurationThatMakesNoSenseIsNotWritten() {
        #expect(
            message { _ = try smallConfiguration { $0.ceLayers = 4 }.json() }
                == "configuration: \"ce_layers\": expected an odd number from 1 to 15, found 4")
    }

    @Test func anUnknownVariantIsNamedWithTheKnownOnes() {
        let known = Variant.all.map(\.name).joined(separator: ", ")
        let expected = "unknown variant \"cetnet-x\"; known are \(known)"
        #expect(message { _ = try ModelConfiguration(variant: "cetnet-x") } == expected)
        #expect(
            message { _ = try parse(#"{"model_type": "cetnet", "variant": "cetnet-x"}"#) } == "config.json: " + expected
        )
    }

    static let wrongTexts: [(text: String, message: String)] = [
        ("", "at byte 0: expected a value, found the end of the text"),
        ("[1]", "at byte 0: expected an object, found another value"),
        ("{\"model_type\": \"cetnet\",}", "at byte 24: expected a string, found '}'"),
        ("{\"dims\": [1], \"dims\": [1]}", "at byte 21: expected every key once, found a second \"dims\""),
        (String(repeating: "[", count: 100_000), "at byte 32: expected at most 32 levels of nesting, found '['"),
        ("{}", "\"model_type\" is missing, and no \"variant\" gives it"),
        (#"{"model_type": "swin"}"#, "\"model_type\": expected \"cetnet\", found \"swin\""),
        (#"{"model_type": "cetnet"}"#, "\"dims\" is missing, and no \"variant\" gives it"),
        (#"{"model_type": "cetnet", "dims": [8,8,8,8]}"#, "\"depths\" is missing, and no \"variant\" gives it"),
        (
            #"{"model_type": "cetnet", "dims": [8,8,8,8], "depths": [1,1,1,1]}"#,
            "\"num_heads\" is missing, and no \"variant\" gives it"
        ),
    ]

    @Test(arguments: wrongTexts.indices)
    func textsThatAreNoConfigurationAreRefused(_ index: Int) {
        let (text, expected) = Self.wrongTexts[index]
        #expect(message { _ = try parse(text) } == "config.json: " + expected)
    }

    static let wrongKeys: [(keys: String, message: String)] = [
        (#""widths": [1]"#, "unknown key \"widths\""),
        (#""window_sise": 7"#, "unknown key \"window_sise\"; did you mean \"window_size\"?"),
        (#""Dims": [8,8,8,8]"#, "unknown key \"Dims\"; did you mean \"dims\"?"),
        (#""preprocess": {"crop": 0.9}"#, "unknown key \"preprocess.crop\""),
        (
            #""preprocess": {"crop_pc": 0.9}"#,
            "unknown key \"preprocess.crop_pc\"; did you mean \"preprocess.crop_pct\"?"
        ),
        (#""variant": 3"#, "\"variant\": expected a text, found 3"),
        (#""mlp_ratios": 4"#, "\"mlp_ratios\": expected an array of whole numbers, found 4"),
        (#""mlp_ratios": [4, 4, 4, 4.5]"#, "\"mlp_ratios\": expected an array of whole numbers, found 4.5"),
        (
            #""mlp_ratios": [4, 4, 4]"#,
            "\"mlp_ratios\": expected 4 entries, one per stage of block \"lewin\", found 3 entries"
        ),
        (#""mlp_ratios": [4, 4, 4, 65]"#, "\"mlp_ratios\": expected numbers from 1 to 64, found [4, 4, 4, 65]"),
        (
            #""block": "vit""#,
            "\"block\": expected one of \"lewin\", \"swin\", \"pvt\", \"cvt\", \"cswin\", found \"vit\""
        ),
        (#""block": "cvt""#, "\"dims\": expected 3 entries, one per stage of block \"cvt\", found 4 entries"),
        (
            #""embeddings": ["ce", "ce", "ce", "CE"]"#,
            "\"embeddings\": expected an array of texts, each one of \"ce\", \"conv\", \"patch\", \"merge\", "
                + "found \"CE\""
        ),
        (
            #""embeddings": ["ce"]"#,
            "\"embeddings\": expected 4 entries, one per stage of block \"lewin\", found 1 entries"
        ),
        (
            #""embeddings": ["merge", "ce", "ce", "ce"]"#,
            "\"embeddings\": expected \"ce\", \"conv\" or \"patch\" in the first stage, found \"merge\""
        ),
        (#""stem_channels": [8]"#, "\"stem_channels\": expected 2 entries, found 1 entries"),
        (#""stem_channels": [8, 0]"#, "\"stem_channels\": expected numbers from 1 to 8192, found [8, 0]"),
        (#""ce_layers": 4"#, "\"ce_layers\": expected an odd number from 1 to 15, found 4"),
        (#""ce_layers": 17"#, "\"ce_layers\": expected an odd number from 1 to 15, found 17"),
        (#""ce_layers": -1"#, "\"ce_layers\": expected an odd number from 1 to 15, found -1"),
        (
            #""ce_unit": "mb""#,
            "\"ce_unit\": expected one of \"mbconv\", \"pure-mb\", \"resnet\", \"se-resnet\", \"dense\", \"shuffle\", "
                + "\"ghost\", found \"mb\""
        ),
        (#""window_size": 0"#, "\"window_size\": expected a number from 1 to 32, found 0"),
        (#""window_size": 33"#, "\"window_size\": expected a number from 1 to 32, found 33"),
        (#""window_size": "7""#, "\"window_size\": expected a whole number, found \"7\""),
        (#""window_size": 7.0"#, "\"window_size\": expected a whole number, found 7.0"),
        (#""window_size": 99999999999999999999"#, "\"window_size\": expected a whole number, found 1e+20"),
        (#""image_size": 31"#, "\"image_size\": expected a number from 32 to 4096, found 31"),
        (#""image_size": 4097"#, "\"image_size\": expected a number from 32 to 4096, found 4097"),
        (#""num_labels": 0"#, "\"num_labels\": expected a number from 1 to 1000000, found 0"),
        (
            #""num_labels": 9223372036854775807"#,
            "\"num_labels\": expected a number from 1 to 1000000, found 9223372036854775807"
        ),
        (#""id2label": ["a"]"#, "\"id2label\": expected an object from index to label, found an array of 1"),
        (#""id2label": {}"#, "\"id2label\": expected 1 labels, as \"num_labels\" says, found an object of 0 keys"),
        (
            #""num_labels": 2, "id2label": {"0": "a"}"#,
            "\"id2label\": expected 2 labels, as \"num_labels\" says, found an object of 1 keys"
        ),
        (#""id2label": {"0": "a", "2": "b"}"#, "\"id2label\": expected keys 0 to 1, found \"2\""),
        (#""id2label": {"0": "a", "01": "b"}"#, "\"id2label\": expected keys 0 to 1, found \"01\""),
        (#""id2label": {"0": "a", "-1": "b"}"#, "\"id2label\": expected keys 0 to 1, found \"-1\""),
        (#""id2label": {"0": null}"#, "\"id2label.0\": expected a text, found null"),
        (#""hidden_act": "relu""#, "\"hidden_act\": expected one of \"gelu\", \"quick_gelu\", found \"relu\""),
        (#""preprocess": 1"#, "\"preprocess\": expected an object, found 1"),
        (
            #""preprocess": {"interpolation": "cubic"}"#,
            "\"preprocess.interpolation\": expected one of \"nearest\", \"box\", \"bilinear\", \"hamming\", "
                + "\"bicubic\", \"lanczos\", found \"cubic\""
        ),
        (
            #""preprocess": {"crop_mode": "border"}"#,
            "\"preprocess.crop_mode\": expected one of \"center\", \"squash\", found \"border\""
        ),
        (
            #""preprocess": {"crop_rounding": "up"}"#,
            "\"preprocess.crop_rounding\": expected one of \"even\", \"down\", found \"up\""
        ),
        (#""layer_norm_eps": 0"#, "\"layer_norm_eps\": expected a number between 0 and 1, found 0.0"),
        (#""layer_norm_eps": 1"#, "\"layer_norm_eps\": expected a number between 0 and 1, found 1.0"),
        (#""preprocess": {"crop_pct": "0.9"}"#, "\"preprocess.crop_pct\": expected a number, found \"0.9\""),
        (#""preprocess": {"crop_pct": 0}"#, "\"preprocess.crop_pct\": expected a number from 0.1 to 1.0, found 0.0"),
        (#""preprocess": {"crop_pct": 1.1}"#, "\"preprocess.crop_pct\": expected a number from 0.1 to 1.0, found 1.1"),
        (#""preprocess": {"mean": [0, 0]}"#, "\"preprocess.mean\": expected 3 finite numbers, found [0.0, 0.0]"),
        (
            #""preprocess": {"mean": [0, 0, 1e39]}"#,
            "\"preprocess.mean\": expected 3 finite numbers, found [0.0, 0.0, inf]"
        ),
        (#""preprocess": {"mean": [0, 0, true]}"#, "\"preprocess.mean\": expected an array of numbers, found true"),
        (
            #""preprocess": {"std": [1, 1, 0]}"#,
            "\"preprocess.std\": expected 3 positive numbers, found [1.0, 1.0, 0.0]"
        ),
    ]

    @Test(arguments: wrongKeys.indices)
    func wrongKeysAndValuesAreRefusedByName(_ index: Int) {
        let (keys, expected) = Self.wrongKeys[index]
        #expect(message { _ = try parse(with: ", " + keys) } == "config.json: " + expected)
    }

    @Test(arguments: [
        (#""dims": [8, 16, 24, 8193]"#, "\"dims\": expected numbers from 1 to 8192, found [8, 16, 24, 8193]"),
        (#""dims": []"#, "\"dims\": expected 4 entries, one per stage of block \"lewin\", found 0 entries"),
        (#""dims": [0, 8, 8, 8]"#, "\"dims\": expected numbers from 1 to 8192, found [0, 8, 8, 8]"),
        (#""depths": [1, 1, 513, 1]"#, "\"depths\": expected numbers from 1 to 512, found [1, 1, 513, 1]"),
        (#""depths": [1, 1, 1]"#, "\"depths\": expected 4 entries, one per stage of block \"lewin\", found 3 entries"),
        (
            #""num_heads": [2, 4, 8, 24]"#,
            "\"num_heads\": expected numbers that divide \"dims\" [64, 128, 256, 512], found [2, 4, 8, 24]"
        ),
        (#""num_heads": [2, 0, 8, 16]"#, "\"num_heads\": expected numbers from 1 to 8192, found [2, 0, 8, 16]"),
    ])
    func wrongWidthsAndDepthsAreRefusedByName(_ keys: String, _ expected: String) {
        let text = "{\"model_type\": \"cetnet\", \"variant\": \"cetnet-t\", \(keys)}"
        #expect(message { _ = try parse(text) } == "config.json: " + expected)
    }

    @Test func aTextTooLongIsRefusedUnread() {
        let found = message { _ = try ModelConfiguration(json: Data(count: 64 << 20 + 1), source: "c") }
        #expect(found == "c: at byte 0: expected at most 67108864 bytes, found 67108865")
    }

    /// A mutated configuration is refused with a typed error, or accepted and then buildable or refused.
    @Test func mutationsNeverCrash() throws {
        let whole = try [UInt8](fixture("small.json"))
        var accepted = 0
        for seed in 0..<1000 {
            let bytes = mutatedJSON(whole, seed: seed)
            do {
                let configuration = try ModelConfiguration(json: Data(bytes), source: "mutated")
                accepted += 1
                let graph = try Network(configuration).graph(imageSize: ImageSize(square: 32))
                #expect(graph.features.count == 4, "seed \(seed)")
                #expect(try ModelConfiguration(json: configuration.json(), source: "") == configuration, "seed \(seed)")
            } catch {
                #expect(error is ConfigurationError, "seed \(seed): \(error)")
            }
        }
        #expect((50..<700).contains(accepted), "\(accepted) accepted")
    }
}
