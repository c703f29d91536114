import CETNetCheckpoint
import CETNetNetworks
import Foundation

/// What the files beside a checkpoint say about its model, read as the package that wrote them reads them.
package struct PublicConfiguration: Sendable {
    /// The model.
    package let model: ModelConfiguration
    /// Whose names its tensors have.
    package let layout: Layout

    /// The files beside a checkpoint.
    package struct Files {
        /// The contents of `config.json`.
        package let configuration: JSONValue
        /// What messages call it, usually the path.
        package let source: String
        /// The contents of `preprocessor_config.json`, where there is one.
        package let preprocessor: JSONValue?
        /// What messages call that.
        package let preprocessorSource: String

        package init(
            configuration: JSONValue, source: String, preprocessor: JSONValue? = nil, preprocessorSource: String = ""
        ) {
            self.configuration = configuration
            self.source = source
            self.preprocessor = preprocessor
            self.preprocessorSource = preprocessorSource
        }
    }

    /// Reads the configuration of Transformers or timm.
    /// - Parameters:
    ///   - files: the files beside the checkpoint.
    ///   - labelCount: the number of outputs of the tensor of that name, `nil` where there is none.
    /// - Returns: `nil` where the configuration is this project's own.
    /// - Throws: ``ConfigurationError`` for models that are not known here, and for every setting that changes what is
    ///   computed in a way that is not built here.
    package init?(_ files: Files, labelCount: (String) -> Int?) throws(ConfigurationError) {
        var reader = try ConfigurationReader(files.configuration, source: files.source, nullIsAbsent: true)
        if let modelType = reader.value("model_type") {
            guard modelType != .string("cetnet") else { return nil }
            if modelType == .string("upernet") {
                self = try TransformersUPerNet.read(&reader, files: files, labelCount: labelCount)
                return
            }
            guard case .string(let text) = modelType, let backbone = TransformersBackbone(rawValue: text) else {
                throw reader.invalid("model_type", Self.modelTypes, modelType)
            }
            self = try backbone.configuration(&reader, files: files, labelCount: labelCount)
        } else if reader.value("architecture") != nil {
            self = try TimmConfiguration.read(&reader, labelCount: labelCount)
        } else {
            throw .invalidValue(
                source: files.source, key: "model_type", expected: Self.modelTypes + ", or timm's \"architecture\"",
                found: "neither")
        }
    }

    /// The values of `model_type` that are known, for a message.
    private static let modelTypes =
        "one of "
        + (["cetnet"] + TransformersBackbone.allCases.map(\.rawValue) + ["upernet"]).map { "\"\($0)\"" }
        .joined(separator: ", ")

    init(model: ModelConfiguration, layout: Layout) {
        self.model = model
        self.layout = layout
    }
}

extension ModelConfiguration {
    /// The configuration with the name of the variant that it is, if it is one; images, labels and windows may differ.
    func named() -> ModelConfiguration {
        var named = self
        named.variant =
            Variant.all.first { variant in
                let row = variant.configuration
                return row.head == head && row.block == block && row.dims == dims && row.depths == depths
                    && row.numHeads == numHeads
                    && row.mlpRatios == mlpRatios && row.embeddings == embeddings
            }?.name
        return named
    }

    /// The configuration with as many labels as the classifier has rows: those given, else ImageNet's if there are as
    /// many, else indices.
    /// - Parameters:
    ///   - names: the labels that the files bring, `nil` if none; under `key` in the file.
    ///   - rows: of the classifier, `nil` if there is none: then as many as there are labels, by default ImageNet's.
    func labelled(
        _ names: [String]?, key: String, rows: Int?, classifier: String, source: String
    ) throws(ConfigurationError) -> ModelConfiguration {
        let count = rows ?? names?.count ?? ImageNetLabels.all.count
        guard names.map({ $0.count == count }) ?? true else {
            throw .invalidValue(
                source: source, key: key, expected: "\(count) labels, as many as \"\(classifier)\" has rows",
                found: "\(names?.count ?? 0)")
        }
        guard Self.labelCounts.contains(count) else {
            throw .invalidValue(
                source: source, key: key,
                expected: "\(Self.labelCounts.lowerBound) to \(Self.labelCounts.upperBound) labels",
                found: "\(count) rows of \"\(classifier)\"")
        }
        var labelled = self
        labelled.setLabelCount(count)
        if let names { labelled.setLabels(names) } else { labelled.setImageNetLabels() }
        return labelled
    }

    /// Gives 1000 classes without names those of ImageNet-1k; others are left as they are.
    package mutating func setImageNetLabels() {
        if labelsAreIndices && numLabels == ImageNetLabels.all.count { setLabels(ImageNetLabels.all) }
    }
}
