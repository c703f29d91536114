import CETNetNetworks
import Testing

@Suite struct TransformersConfigurationTests {
    /// Absent keys have the package's defaults, and a known variant is called by its name.
    @Test func defaultsAreThePackages() throws {
        let swin = try #require(try publicConfiguration(#"{"model_type": "swin"}"#)).model
        #expect(swin.variant == "swin-t")
        #expect(swin.hiddenActivation == .gelu && swin.layerNormEpsilon == nil && swin.windowSize == 7)
        let cvt = try #require(try publicConfiguration(#"{"model_type": "cvt"}"#)).model
        #expect(cvt.variant == "cvt-13")
        #expect(cvt.hiddenActivation == .gelu, "the port has not its authors' QuickGELU")
        let pvt = try #require(try publicConfiguration(#"{"model_type": "pvt", "depths": [3, 4, 6, 3]}"#)).model
        #expect(pvt.variant == "pvt-s")
        #expect(pvt.layerNormEpsilon == 1e-6)
        for model in [swin, cvt, pvt] { #expect(model.imageSize == 224 && model.numLabels == 3) }
    }

    @Test func everyKeyIsRead() throws {
        let swin = try #require(
            try publicConfiguration(
                #"""
                {"model_type": "swin", "embed_dim": 12, "depths": [1, 2, 3, 4], "num_heads": [1, 2, 4, 8],
                 "window_size": 3, "mlp_ratio": 2.0, "image_size": 96, "hidden_act": "quick_gelu", "patch_size": 4,
                 "num_channels": 3, "qkv_bias": true, "use_absolute_embeddings": false, "layer_norm_eps": 1e-5,
                 "id2label": {"1": "b", "0": "a", "2": "c"}, "anything": {"else": [1]}}
                """#)
        ).model
        var expected = ModelConfiguration(
            dims: [12, 24, 48, 96], depths: [1, 2, 3, 4], numHeads: [1, 2, 4, 8], mlpRatios: [2, 2, 2, 2], block: .swin,
            embeddings: [.patch, .merge, .merge, .merge], windowSize: 3, imageSize: 96, labels: ["a", "b", "c"],
            hiddenActivation: .quickGELU)
        expected.preprocess = swin.preprocess
        #expect(swin == expected)

        let pvt = try #require(
            try publicConfiguration(
                #"""
                {"model_type": "pvt", "hidden_sizes": [8, 16, 32, 40], "depths": [1, 2, 3, 4], "image_size": 128,
                 "num_attention_heads": [1, 2, 4, 8], "mlp_ratios": [1, 2, 3, 4.0], "layer_norm_eps": 1e-4,
                 "id2label": null}
                """#)
        ).model
        #expect(pvt.dims == [8, 16, 32, 40] && pvt.depths == [1, 2, 3, 4] && pvt.numHeads == [1, 2, 4, 8])
        #expect(pvt.mlpRatios == [1, 2, 3, 4] && pvt.layerNormEpsilon == 1e-4 && pvt.imageSize == 128)
        #expect(pvt.labels == ["0", "1", "2"])

        let cvt = try #require(
            try publicConfiguration(
                #"""
                {"model_type": "cvt", "embed_dim": [8, 16, 32], "depth": [1, 2, 3], "num_heads": [1, 2, 4],
                 "mlp_ratio": [1.0, 2.0, 3.0], "layer_norm_eps": 1e-12}
                """#)
        ).model
        #expect(cvt.dims == [8, 16, 32] && cvt.depths == [1, 2, 3] && cvt.numHeads == [1, 2, 4])
        #expect(cvt.mlpRatios == [1, 2, 3])
        #expect(cvt.layerNormEpsilon == nil, "the port does not use it")
    }

    @Test(arguments: [
        (
            #"{"model_type": "vit"}"#,
            #""model_type": expected one of "cetnet", "swin", "cvt", "pvt", "upernet", found "vit""#
        ),
        (#"{"model_type": 3}"#, "\"model_type\": expected one of"),
        (#"{}"#, "or timm's \"architecture\", found neither"),
        (#"{"model_type": "swin", "patch_size": 2}"#, "\"patch_size\": expected 4, found 2"),
        (#"{"model_type": "swin", "qkv_bias": false}"#, "\"qkv_bias\": expected true, found false"),
        (#"{"model_type": "swin", "use_absolute_embeddings": true}"#, "\"use_absolute_embeddings\": expected false"),
        (#"{"model_type": "swin", "layer_norm_eps": 1e-6}"#, "\"layer_norm_eps\": expected 1e-05, found 1e-06"),
        (#"{"model_type": "swin", "hidden_act": "relu"}"#, "\"hidden_act\": expected one of \"gelu\", \"quick_gelu\""),
        (#"{"model_type": "swin", "mlp_ratio": 3.5}"#, "\"mlp_ratio\": expected a whole number, found 3.5"),
        (#"{"model_type": "swin", "num_channels": 1}"#, "\"num_channels\": expected 3, found 1"),
        (#"{"model_type": "swin", "embed_dim": 4611686018427387904}"#, "\"embed_dim\": expected a number from 1"),
        (#"{"model_type": "swin", "depths": []}"#, "\"depths\": expected 4 entries"),
        (#"{"model_type": "swin", "depths": [1, 1.5, 1, 1]}"#, "\"depths\": expected an array of whole numbers"),
        (#"{"model_type": "swin", "id2label": {"0": "a"}}"#, "\"id2label\": expected 3 labels"),
        (#"{"model_type": "swin", "id2label": {"0": "a", "1": "b", "3": "c"}}"#, "\"id2label\": expected keys 0 to 2"),
        (#"{"model_type": "swin", "id2label": {"0": "a", "00": "b", "1": "c"}}"#, "\"id2label\": expected keys"),
        (#"{"model_type": "swin", "id2label": ["a", "b", "c"]}"#, "\"id2label\": expected an object"),
        (#"{"model_type": "pvt", "sequence_reduction_ratios": [8, 4, 2, 2]}"#, "\"sequence_reduction_ratios\""),
        (#"{"model_type": "upernet"}"#, "\"backbone_config\" is missing"),
        (
            #"{"model_type": "upernet", "backbone_config": {"model_type": "convnext"}}"#,
            "\"backbone_config.model_type\": expected \"swin\", found \"convnext\""
        ),
        (
            #"{"model_type": "upernet", "backbone_config": {"model_type": "swin", "use_absolute_embeddings": true}}"#,
            "\"backbone_config.use_absolute_embeddings\": expected false, found true"
        ),
        (
            #"{"model_type": "upernet", "backbone_config": {"model_type": "swin", "out_features": ["stage4"]}}"#,
            "\"backbone_config.out_features\""
        ),
        (
            #"{"model_type": "upernet", "backbone_config": {"model_type": "swin"}, "id2label": {"0": "a"}}"#,
            "\"id2label\": expected 3 labels, as many as \"decode_head.classifier.weight\" has rows"
        ),
        (#"{"model_type": "pvt", "strides": [4, 2, 2]}"#, "\"strides\": expected [4, 2, 2, 2], found an array of 3"),
        (#"{"model_type": "pvt", "patch_sizes": [7, 3, 3, 3]}"#, "\"patch_sizes\""),
        (#"{"model_type": "pvt", "qkv_bias": false}"#, "\"qkv_bias\""),
        (#"{"model_type": "pvt", "num_encoder_blocks": 3}"#, "\"num_encoder_blocks\""),
        (#"{"model_type": "cvt", "qkv_projection_method": ["avg", "avg", "avg"]}"#, "\"qkv_projection_method\""),
        (#"{"model_type": "cvt", "cls_token": [false, false, false]}"#, "\"cls_token\""),
        (#"{"model_type": "cvt", "stride_kv": [1, 1, 1]}"#, "\"stride_kv\""),
        (#"{"model_type": "cvt", "patch_sizes": [3, 3, 3]}"#, "\"patch_sizes\""),
        (#"{"model_type": "cvt", "qkv_bias": [true, true, false]}"#, "\"qkv_bias\""),
    ])
    func whatIsNotBuiltIsRefusedByName(text: String, expected: String) {
        let found = message { try publicConfiguration(text) }
        #expect(found.hasPrefix("config.json: ") && found.contains(expected), "\(found)")
    }

    /// openmmlab's: windows of 12, labels at the top, and nothing of the labels inside.
    @Test func upernet() throws {
        let model = try #require(
            try publicConfiguration(
                #"""
                {"model_type": "upernet", "hidden_size": 256, "pool_scales": [1, 2], "auxiliary_channels": 7,
                 "id2label": {"0": "wall", "1": "sky", "2": "tree"},
                 "backbone_config": {"model_type": "swin", "embed_dim": 128, "depths": [2, 2, 18, 2],
                                     "num_heads": [4, 8, 16, 32], "window_size": 12, "id2label": {"0": "LABEL_0"},
                                     "out_features": ["stage1", "stage2", "stage3", "stage4"]}}
                """#)
        ).model
        #expect(model.task == .segmentation && model.head == .upernet(UPerNet(hiddenSize: 256, poolScales: [1, 2])))
        #expect(
            model.dims == [128, 256, 512, 1024] && model.windowSize == 12 && model.labels == ["wall", "sky", "tree"])
        #expect(model.imageSize == 512 && model.preprocess.cropMode == .squash && model.preprocess.cropFraction == 1)
        #expect(model.preprocess.interpolation == .bilinear && model.preprocess.mean == [0.485, 0.456, 0.406])
        try model.validate()
        let tiny = try #require(
            try publicConfiguration(
                #"{"model_type": "upernet", "backbone_config": {"model_type": "swin"}}"#, labels: 150)
        ).model
        #expect(tiny.variant == "swin-t-upernet" && tiny.numLabels == 150)
    }

    @Test func thisProjectsConfigurationIsLeftAlone() throws {
        #expect(try publicConfiguration(#"{"model_type": "cetnet", "variant": "swin-t"}"#) == nil)
    }

    @Test func labelsThatSayNothingAreNone() throws {
        func labels(_ text: String, _ count: Int?) throws -> [String] {
            try #require(try publicConfiguration(text, labels: count)).model.labels
        }
        #expect(
            try labels(#"{"model_type": "swin", "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}"#, 2) == ["0", "1"])
        let imageNet = try labels(#"{"model_type": "swin"}"#, 1000)
        #expect(imageNet.count == 1000)
        #expect(imageNet[0] == "tench, Tinca tinca" && imageNet[281] == "tabby, tabby cat")
        #expect(imageNet[999] == "toilet tissue, toilet paper, bathroom tissue")
        #expect(Set(imageNet).count > 990 && imageNet.allSatisfy { !$0.isEmpty })
        #expect(try labels(#"{"model_type": "cvt"}"#, 21841)[281] == "281")
    }
}
