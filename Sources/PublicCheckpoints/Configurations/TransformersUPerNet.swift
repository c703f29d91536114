import CETNetCheckpoint
import CETNetNetworks

/// Hugging Face Transformers' `UperNetForSemanticSegmentation` with a Swin backbone, as `openmmlab/upernet-swin-*`.
///
/// Keys that are absent have the package's defaults. The auxiliary head and what matters in training only are not looked
/// at; of the backbone's configuration neither are the labels, which mean nothing there.
enum TransformersUPerNet {
    private static let layout = "Transformers' UPerNet with Swin"

    static func read(
        _ reader: inout ConfigurationReader, files: PublicConfiguration.Files, labelCount: (String) -> Int?
    ) throws(ConfigurationError) -> PublicConfiguration {
        guard var backbone = try reader.object("backbone_config", nullIsAbsent: true) else {
            throw reader.missing("backbone_config")
        }
        guard backbone.value("model_type") == .string("swin") else {
            throw backbone.invalid("model_type", "\"swin\"", backbone.value("model_type") ?? .null)
        }
        try backbone.require("num_channels", 3)
        try backbone.require("out_features", ["stage1", "stage2", "stage3", "stage4"])
        var model = try TransformersBackbone.readSwin(&backbone)
        model.head = .upernet(
            UPerNet(
                hiddenSize: try reader.wholeNumber("hidden_size") ?? 512,
                poolScales: try reader.wholeNumbers("pool_scales") ?? [1, 2, 3, 6]))
        let preprocessing = try TransformersPreprocessing.read(files, processor: "Segformer", imageSize: 512)
        guard preprocessing.configuration.cropMode == .squash, preprocessing.configuration.cropFraction == 1 else {
            throw .invalidValue(
                source: files.preprocessorSource, key: "size", expected: "\"height\" and \"width\", and no crop",
                found: "a crop, which leaves pixels without a label")
        }
        model.imageSize = preprocessing.imageSize
        model.preprocess = preprocessing.configuration

        let classifier = "decode_head.classifier.weight"
        let labels = try TransformersBackbone.labels(&reader)
        let count = labelCount(classifier) ?? labels?.count ?? 0
        guard labels.map({ $0.count == count }) ?? true else {
            throw .invalidValue(
                source: reader.source, key: "id2label",
                expected: "\(count) labels, as many as \"\(classifier)\" has rows", found: "\(labels?.count ?? 0)")
        }
        model.setLabelCount(count)
        if let labels { model.setLabels(labels) }
        return PublicConfiguration(model: model.named(), layout: .named(layout))
    }
}
