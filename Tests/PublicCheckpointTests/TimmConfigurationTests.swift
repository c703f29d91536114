import CETNetNetworks
import CETNetPreprocessing
import Testing

@Suite struct TimmConfigurationTests {
    private func model(_ keys: String) throws -> ModelConfiguration {
        try #require(try publicConfiguration("{\(keys)}")).model
    }

    @Test(arguments: [
        ("swin_tiny_patch4_window7_224", "swin-t", 7, 224), ("swin_small_patch4_window7_224", "swin-s", 7, 224),
        ("swin_base_patch4_window7_224", "swin-b", 7, 224), ("swin_base_patch4_window12_384", "swin-b", 12, 384),
        ("swin_base_patch4_window7_224.ms_in22k_ft_in1k", "swin-b", 7, 224),
    ])
    func architecturesAreVariants(name: String, variant: String, window: Int, size: Int) throws {
        let model = try model("\"architecture\": \"\(name)\"")
        #expect(model.variant == variant && model.windowSize == window && model.imageSize == size)
        #expect(model.numLabels == 3)
        // What timm does where nothing is said.
        #expect(model.preprocess == PreprocessConfiguration(interpolation: .bicubic, cropFraction: 0.875))
    }

    @Test func largeIsBuilt() throws {
        let model = try model(#""architecture": "swin_large_patch4_window12_384""#)
        #expect(model.dims == [192, 384, 768, 1536] && model.numHeads == [6, 12, 24, 48] && model.variant == nil)
    }

    @Test func whatIsGivenReplacesTheArchitectures() throws {
        let model = try model(
            #"""
            "architecture": "swin_tiny_patch4_window7_224", "num_classes": 3,
            "model_args": {"embed_dim": 8, "depths": [1, 2, 1, 1], "num_heads": [1, 2, 4, 8], "window_size": [2, 2],
                           "img_size": 64, "mlp_ratio": 2.0, "num_classes": 3, "drop_path_rate": 0.1},
            "pretrained_cfg": {"input_size": [3, 128, 128], "crop_mode": "squash", "crop_pct": 1.0,
                               "interpolation": "lanczos", "mean": [0.1, 0.2, 0.3], "std": 0.5,
                               "label_names": ["x", "y", "z"], "label_descriptions": {"y": "why"}}
            """#)
        #expect(model.dims == [8, 16, 32, 64] && model.depths == [1, 2, 1, 1] && model.windowSize == 2)
        #expect(model.imageSize == 128 && model.labels == ["x", "why", "z"] && model.mlpRatios == [2, 2, 2, 2])
        #expect(
            model.preprocess
                == PreprocessConfiguration(
                    interpolation: .lanczos, cropFraction: 1, cropMode: .squash, mean: [0.1, 0.2, 0.3],
                    standardDeviation: [0.5, 0.5, 0.5]))
    }

    /// Before version 0.8 there was no `pretrained_cfg`.
    @Test func oldFilesAreFlat() throws {
        let model = try model(
            #""architecture": "swin_tiny_patch4_window7_224", "crop_pct": 0.9, "input_size": [3, 448, 448]"#)
        #expect(model.imageSize == 448 && model.preprocess.cropFraction == 0.9)
    }

    @Test(arguments: [
        (#""architecture": "resnet50""#, "\"architecture\": expected one of swin_tiny, swin_small"),
        (#""architecture": "swin_s3_tiny_224""#, "\"architecture\""),
        (#""architecture": "swin_tiny_patch4_window7""#, "\"architecture\""),
        (#""architecture": "swinv2_tiny_window8_256""#, "\"architecture\""),
        (#""architecture": "swin_tiny_patch4_window7_224", "global_pool": "max""#, "\"global_pool\": expected \"avg\""),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "model_args": {"ape": true}"#,
            "unknown key \"model_args.ape\""
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "model_args": {"in_chans": 1}"#,
            "\"model_args.in_chans\": expected 3, found 1"
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "model_args": {"window_size": [7, 8]}"#,
            "\"model_args.window_size\": expected two equal sides"
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "model_args": {"img_size": 256}"#,
            "\"pretrained_cfg.input_size\": expected a size whose maps are multiples of \"window_size\" 7"
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "pretrained_cfg": {"crop_mode": "border"}"#,
            "\"pretrained_cfg.crop_mode\": expected one of \"center\", \"squash\", found \"border\""
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "pretrained_cfg": {"interpolation": "random"}"#,
            "\"pretrained_cfg.interpolation\""
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "pretrained_cfg": {"input_size": [3, 224, 192]}"#,
            "\"pretrained_cfg.input_size\": expected 3 channels and two equal sides"
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "pretrained_cfg": {"crop_border_pixels": 4}"#,
            "\"pretrained_cfg.crop_border_pixels\": expected 0, found 4"
        ),
        (
            #""architecture": "swin_tiny_patch4_window7_224", "label_names": ["a"]"#,
            "\"label_names\": expected 3 labels"
        ),
    ])
    func whatIsNotBuiltIsRefusedByName(keys: String, expected: String) {
        let found = message { try model(keys) }
        #expect(found.hasPrefix("config.json: ") && found.contains(expected), "\(found)")
    }
}
