import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks

/// The backbones of Hugging Face Transformers that are built here, by `model_type`.
///
/// Keys that are absent have the package's defaults. Keys that change what is computed must have the values that are
/// built; those that matter in training only, or to other programs, are not looked at.
enum TransformersBackbone: String, CaseIterable {
    case swin, cvt, pvt

    /// The image processor of its published models.
    private var processor: String {
        switch self {
        case .swin: "ViT"
        case .cvt: "ConvNext"
        case .pvt: "Pvt"
        }
    }

    func configuration(
        _ reader: inout ConfigurationReader, files: PublicConfiguration.Files, labelCount: (String) -> Int?
    ) throws(ConfigurationError) -> PublicConfiguration {
        try reader.require("num_channels", 3)
        let layout: Layout
        var model: ModelConfiguration
        switch self {
        case .swin: (layout, model) = (.named("Transformers' Swin"), try Self.readSwin(&reader))
        case .cvt: (layout, model) = (.named("Transformers' CvT"), try Self.readCvT(&reader))
        case .pvt: (layout, model) = (.named("Transformers' PVT"), try Self.readPVT(&reader))
        }
        let preprocessing = try TransformersPreprocessing.read(
            files, processor: processor, imageSize: model.imageSize)
        // Position embeddings belong to one size; the other backbones take any.
        if self == .pvt, preprocessing.imageSize != model.imageSize {
            throw .invalidValue(
                source: files.preprocessorSource, key: "size",
                expected: "\(model.imageSize), the \"image_size\" of the position embeddings",
                found: "\(preprocessing.imageSize)")
        }
        model.imageSize = preprocessing.imageSize
        model.preprocess = preprocessing.configuration

        let classifier = "classifier.weight"
        let labelled = try model.labelled(
            Self.labels(&reader), key: "id2label", rows: labelCount(classifier), classifier: classifier,
            source: reader.source)
        return PublicConfiguration(model: labelled.named(), layout: layout)
    }

    // MARK: Backbones

    static func readSwin(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> ModelConfiguration {
        try reader.require("patch_size", 4)
        try reader.require("qkv_bias", true)
        try reader.require("use_absolute_embeddings", false)
        // Of some norms only, so that it must be that of the others.
        try reader.require("layer_norm_eps", 1e-5)
        let width = try reader.wholeNumber("embed_dim") ?? 96
        let depths = try reader.wholeNumbers("depths") ?? [2, 2, 6, 2]
        let ratio = try reader.wholeNumber("mlp_ratio") ?? 4
        return ModelConfiguration(
            dims: try widths(width, stages: depths.count, reader), depths: depths,
            numHeads: try reader.wholeNumbers("num_heads") ?? [3, 6, 12, 24],
            mlpRatios: [Int](repeating: ratio, count: depths.count), block: .swin,
            embeddings: ModelConfiguration.Block.swin.publishedEmbeddings,
            windowSize: try reader.wholeNumber("window_size") ?? 7,
            imageSize: try reader.wholeNumber("image_size") ?? 224, hiddenActivation: try activation(&reader))
    }

    /// Widths that double from stage to stage.
    private static func widths(
        _ first: Int, stages: Int, _ reader: ConfigurationReader
    ) throws(ConfigurationError) -> [Int] {
        // Whatever else is wrong with them is for the model to say; these would not even multiply.
        guard (1...1 << 16).contains(first) else {
            throw reader.invalid("embed_dim", "a number from 1 to \(1 << 16)", .integer(first))
        }
        guard (1...8).contains(stages) else {
            throw reader.invalid("depths", "4 entries, one per stage", .integer(stages))
        }
        return (0..<stages).map { first << $0 }
    }

    private static func readPVT(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> ModelConfiguration {
        try reader.require("num_encoder_blocks", 4)
        try reader.require("patch_sizes", [4, 2, 2, 2])
        try reader.require("strides", [4, 2, 2, 2])
        try reader.require("sequence_reduction_ratios", [8, 4, 2, 1])
        try reader.require("qkv_bias", true)
        return ModelConfiguration(
            dims: try reader.wholeNumbers("hidden_sizes") ?? [64, 128, 320, 512],
            depths: try reader.wholeNumbers("depths") ?? [2, 2, 2, 2],
            numHeads: try reader.wholeNumbers("num_attention_heads") ?? [1, 2, 5, 8],
            mlpRatios: try reader.wholeNumbers("mlp_ratios") ?? [8, 8, 4, 4], block: .pvt,
            embeddings: ModelConfiguration.Block.pvt.publishedEmbeddings,
            imageSize: try reader.wholeNumber("image_size") ?? 224, hiddenActivation: try activation(&reader),
            // Of every norm, where the authors have PyTorch's default in some.
            layerNormEpsilon: Float(try reader.number("layer_norm_eps") ?? 1e-6))
    }

    /// Computes with exact GELU what its authors trained with QuickGELU, and names no image size.
    private static func readCvT(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> ModelConfiguration {
        func each(_ value: JSONValue) -> JSONValue { [value, value, value] }
        try reader.require("patch_sizes", [7, 3, 3])
        try reader.require("patch_stride", [4, 2, 2])
        try reader.require("patch_padding", [2, 1, 1])
        try reader.require("qkv_bias", each(true))
        try reader.require("cls_token", [false, false, true])
        try reader.require("qkv_projection_method", each("dw_bn"))
        try reader.require("kernel_qkv", each(3))
        try reader.require("padding_q", each(1))
        try reader.require("padding_kv", each(1))
        try reader.require("stride_q", each(1))
        try reader.require("stride_kv", each(2))
        return ModelConfiguration(
            dims: try reader.wholeNumbers("embed_dim") ?? [64, 192, 384],
            depths: try reader.wholeNumbers("depth") ?? [1, 2, 10],
            numHeads: try reader.wholeNumbers("num_heads") ?? [1, 3, 6],
            mlpRatios: try reader.wholeNumbers("mlp_ratio") ?? [4, 4, 4], block: .cvt,
            embeddings: ModelConfiguration.Block.cvt.publishedEmbeddings, imageSize: 224, hiddenActivation: .gelu)
    }

    // MARK: Parts

    private static func activation(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> Activation {
        try reader.choice("hidden_act", among: [Activation.gelu, .quickGELU]) ?? .gelu
    }

    /// The labels under `id2label`, or `nil` if there are none or only the package's own LABEL_0, LABEL_1, ….
    static func labels(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> [String]? {
        let labels = try reader.labels("id2label")
        return labels?.enumerated().allSatisfy { $1 == "LABEL_\($0)" } == true ? nil : labels
    }
}
