import CETNetNetworks
import CETNetPreprocessing
import Testing

/// `preprocessor_config.json`, as the packages' processors read it.
@Suite struct TransformersPreprocessingTests {
    private typealias Preprocess = PreprocessConfiguration

    private func read(_ type: String, _ text: String?) throws -> (size: Int, preprocess: PreprocessConfiguration) {
        let model = try #require(
            try publicConfiguration("{\"model_type\": \"\(type)\"}", preprocessor: text)
        ).model
        return (model.imageSize, model.preprocess)
    }

    private let half: [Float] = [0.5, 0.5, 0.5]

    @Test func withoutAFileTheBackbonesProcessorIsTaken() throws {
        let vit = try read("swin", nil)
        #expect(vit.size == 224)
        #expect(
            vit.preprocess
                == Preprocess(
                    interpolation: .bilinear, cropFraction: 1, cropMode: .squash, cropRounding: .down, mean: half,
                    standardDeviation: half))
        #expect(
            try read("cvt", nil).preprocess
                == Preprocess(
                    interpolation: .bicubic, cropFraction: 0.875, cropMode: .center, cropRounding: .down, mean: half,
                    standardDeviation: half))
        #expect(
            try read("pvt", nil).preprocess
                == Preprocess(interpolation: .bicubic, cropFraction: 1, cropMode: .squash, cropRounding: .down))
    }

    /// Files of the hub's first years name feature extractors and give a size as a number.
    @Test func oldFilesAreRead() throws {
        let swin = try read(
            "swin",
            #"""
            {"do_normalize": true, "do_resize": true, "feature_extractor_type": "ViTFeatureExtractor",
             "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 224}
            """#)
        #expect(
            swin.preprocess
                == Preprocess(interpolation: .bicubic, cropFraction: 1, cropMode: .squash, cropRounding: .down))
        let cvt = try read(
            "cvt",
            #"{"crop_pct": 0.9, "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3, "size": 224}"#)
        #expect(cvt.size == 224 && cvt.preprocess.cropFraction == 0.9 && cvt.preprocess.cropMode == .center)
    }

    /// ConvNeXT's processor crops below 384 and squashes from there on.
    @Test func convNextSquashesLargeImages() throws {
        let large = try read("cvt", #"{"size": {"shortest_edge": 384}}"#)
        #expect(large.size == 384 && large.preprocess.cropMode == .squash && large.preprocess.cropFraction == 1)
        let small = try read("cvt", #"{"size": {"shortest_edge": 383}}"#)
        #expect(small.size == 383 && small.preprocess.cropMode == .center && small.preprocess.cropFraction == 0.875)
    }

    /// The share that a crop keeps leads back to the very size, for every pair.
    @Test func cropsAreShares() throws {
        for (side, crop) in [(256, 224), (232, 224), (238, 224), (246, 224), (439, 384), (225, 224), (64, 64)] {
            for (size, mode) in [
                ("{\"shortest_edge\": \(side)}", PreprocessConfiguration.CropMode.center),
                ("{\"height\": \(side), \"width\": \(side)}", .squash), ("\(side)", .squash),
            ] {
                let (found, preprocess) = try read(
                    "swin", "{\"size\": \(size), \"do_center_crop\": true, \"crop_size\": \(crop)}")
                #expect(found == crop && preprocess.cropMode == mode)
                #expect(Int(Double(crop) / preprocess.cropFraction) == side, "\(side) \(crop)")
            }
        }
    }

    @Test func valuesMayBeLeftAlone() throws {
        let plain = try read("pvt", #"{"size": 224, "do_normalize": false}"#).preprocess
        #expect(plain.mean == [0, 0, 0] && plain.standardDeviation == [1, 1, 1])
        let bytes = try read(
            "pvt", #"{"size": 224, "do_rescale": false, "image_mean": 51, "image_std": [51, 102, 255]}"#
        )
        .preprocess
        #expect(bytes.mean == [0.2, 0.2, 0.2] && bytes.standardDeviation == [0.2, 0.4, 1])
        let factor = try read(
            "pvt", #"{"size": 224, "rescale_factor": 0.5, "image_mean": [51, 51, 51], "image_std": [51, 51, 51]}"#
        ).preprocess
        #expect(factor.mean == [0.4, 0.4, 0.4] && factor.standardDeviation == [0.4, 0.4, 0.4])
    }

    @Test(arguments: [
        ("swin", #"{"do_resize": false}"#, "\"do_resize\": expected true, found false"),
        ("swin", #"{"do_pad": true}"#, "\"do_pad\": expected false, found true"),
        ("swin", #"{"size": {"height": 224, "width": 192}}"#, "\"size\": expected a number, equal"),
        ("swin", #"{"size": {"longest_edge": 224}}"#, "\"size\""),
        (
            "swin", #"{"size": {"shortest_edge": 224}}"#,
            "\"size\": expected \"height\" and \"width\", or a \"crop_size\""
        ),
        ("swin", #"{"size": 0}"#, "\"size\""),
        ("swin", #"{"size": 224, "do_center_crop": true}"#, "\"crop_size\" is missing"),
        ("swin", #"{"size": 224, "do_center_crop": true, "crop_size": 256}"#, "\"crop_size\": expected at most 224"),
        ("swin", #"{"resample": 6}"#, "\"resample\": expected a number from 0 to 5, found 6"),
        ("swin", #"{"resample": "bicubic"}"#, "\"resample\""),
        ("swin", #"{"rescale_factor": 0}"#, "\"rescale_factor\": expected a positive number"),
        ("swin", #"{"do_normalize": 1}"#, "\"do_normalize\": expected true or false, found 1"),
        ("swin", #"{"image_processor_type": "CLIPImageProcessor"}"#, "\"image_processor_type\": expected one of"),
        ("cvt", #"{"size": {"height": 224, "width": 224}}"#, "\"size\": expected \"shortest_edge\""),
        ("cvt", #"{"size": 224, "do_center_crop": true, "crop_size": 224}"#, "\"do_center_crop\""),
        ("pvt", #"{"size": 256}"#, "\"size\": expected 224, the \"image_size\" of the position embeddings, found 256"),
    ])
    func whatIsNotBuiltIsRefusedByName(type: String, text: String, expected: String) {
        let found = message { try read(type, text) }
        #expect(found.hasPrefix("preprocessor_config.json: ") && found.contains(expected), "\(found)")
    }

    /// Means and deviations that cannot be are for the model's own check.
    @Test func whatCannotBeIsRefusedLater() throws {
        let model = try #require(
            try publicConfiguration(#"{"model_type": "swin"}"#, preprocessor: #"{"image_std": [1, 0, 1]}"#)
        ).model
        #expect(message { try model.validate() }.contains("\"preprocess.std\""))
    }
}
