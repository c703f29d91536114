import CETNetCheckpoint
import CETNetGraph
import Foundation

extension ModelConfiguration {
    /// Keys that other tools leave in a `config.json` and that say nothing about what is computed.
    static let ignoredKeys: Set<String> = [
        "_name_or_path", "architectures", "dtype", "label2id", "torch_dtype", "transformers_version",
    ]
    /// No configuration is larger; a million labels fit.
    static let maximumByteCount = 64 << 20

    /// Reads a `config.json`.
    ///
    /// `variant` sets the default of every other key. Without it `dims`, `depths` and `num_heads` are needed, and the
    /// others default to those of CETNet-T. `num_labels` defaults to the number of labels where these are given. Keys
    /// that are not known are errors, but for a few that other tools are known to write.
    /// - Parameter source: what error messages call it, usually the path.
    /// - Throws: ``ConfigurationError``.
    public init(json data: Data, source: String) throws {
        try self.init(json: Self.parse(json: data, source: source), source: source)
    }

    /// Reads a `config.json` that has been parsed.
    package init(json value: JSONValue, source: String) throws {
        var reader = try ConfigurationReader(value, source: source)
        try self.init(&reader)
        try validate(source: source)
    }

    /// The tree of a configuration's text, which must be an object.
    /// - Throws: ``ConfigurationError/malformed(source:offset:expected:found:)``.
    package static func parse(json data: Data, source: String) throws(ConfigurationError) -> JSONValue {
        let value: JSONValue
        do {
            guard data.count <= Self.maximumByteCount else {
                throw JSONSyntaxError(
                    offset: 0, expected: "at most \(Self.maximumByteCount) bytes", found: "\(data.count)")
            }
            value = try data.withUnsafeBytes { try JSONValue($0) }
        } catch let error as JSONSyntaxError {
            throw .malformed(source: source, offset: error.offset, expected: error.expected, found: error.found)
        } catch {
            throw .malformed(source: source, offset: 0, expected: "JSON", found: "\(error)")
        }
        guard case .object = value else {
            throw .malformed(source: source, offset: 0, expected: "an object", found: "another value")
        }
        return value
    }

    private init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        let source = reader.source
        func missing(_ key: String) -> ConfigurationError { .missingKey(source: source, key: key) }

        guard let modelType = reader.value("model_type") else { throw missing("model_type") }
        guard modelType == .string("cetnet") else { throw reader.invalid("model_type", "\"cetnet\"", modelType) }
        let variant = try reader.string("variant")
        let base = try variant.map { name throws(ConfigurationError) in
            guard let row = Variant.named(name) else {
                throw .unknownVariant(source: source, name: name, known: Variant.all.map(\.name))
            }
            return row.configuration
        }
        guard let dims = try reader.integers("dims") ?? base?.dims else { throw missing("dims") }
        guard let depths = try reader.integers("depths") ?? base?.depths else { throw missing("depths") }
        guard let numHeads = try reader.integers("num_heads") ?? base?.numHeads else { throw missing("num_heads") }
        let block = try reader.choice("block", among: Block.allCases)
        let hiddenActivation = try reader.choice("hidden_act", among: [Activation.gelu, .quickGELU])
        self.init(
            variant: variant, dims: dims, depths: depths, numHeads: numHeads,
            mlpRatios: try reader.integers("mlp_ratios") ?? base?.mlpRatios,
            block: block ?? base?.block ?? .lewin,
            embeddings: try reader.choices("embeddings", among: Embedding.allCases) ?? base?.embeddings,
            stemChannels: try reader.integers("stem_channels") ?? base?.stemChannels ?? [24, 48],
            ceLayers: try reader.integer("ce_layers") ?? base?.ceLayers ?? 5,
            ceUnit: try reader.choice("ce_unit", among: ConvolutionalEmbeddingUnit.allCases) ?? base?.ceUnit ?? .mbconv,
            windowSize: try reader.integer("window_size") ?? base?.windowSize ?? 7,
            imageSize: try reader.integer("image_size") ?? base?.imageSize ?? 224,
            labels: try Self.labels(&reader) ?? base?.labels,
            // A block chosen here brings its own default with it.
            hiddenActivation: hiddenActivation ?? (block == nil ? base?.hiddenActivation : nil),
            layerNormEpsilon: try reader.number("layer_norm_eps").map(Float.init) ?? base?.layerNormEpsilon,
            preprocess: try Self.preprocess(&reader, base: base?.preprocess ?? PreprocessConfiguration()))
        try reader.refuseUnknownKeys(ignoring: Self.ignoredKeys)
    }

    /// The labels that `id2label` or `num_labels` ask for, or `nil` if neither is there.
    private static func labels(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> [String]? {
        let count = try reader.integer("num_labels")
        if let count {
            guard Limit.labels.contains(count) else {
                throw reader.invalid(
                    "num_labels", "a number from \(Limit.labels.lowerBound) to \(Limit.labels.upperBound)",
                    .integer(count))
            }
        }
        guard let value = reader.value("id2label") else { return count.map(indices) }
        guard case .object(let members) = value else {
            throw reader.invalid("id2label", "an object from index to label", value)
        }
        guard members.count == count ?? members.count, Limit.labels.contains(members.count) else {
            throw reader.invalid("id2label", "\(count ?? 1) labels, as \"num_labels\" says", value)
        }
        var labels = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.key), labels.indices.contains(index), String(index) == member.key else {
                throw reader.invalid("id2label", "keys 0 to \(members.count - 1)", .string(member.key))
            }
            guard case .string(let label) = member.value else {
                throw reader.invalid("id2label.\(index)", "a text", member.value)
            }
            labels[index] = label
        }
        // As many different indices as places: none is empty.
        return labels.compactMap { $0 }
    }

    private static func preprocess(
        _ reader: inout ConfigurationReader, base: PreprocessConfiguration
    ) throws(ConfigurationError) -> PreprocessConfiguration {
        guard let value = reader.value("preprocess") else { return base }
        var inner = try ConfigurationReader(value, source: reader.source, key: "preprocess")
        let result = PreprocessConfiguration(
            interpolation: try inner.choice("interpolation", among: PreprocessConfiguration.Interpolation.allCases)
                ?? base.interpolation,
            cropFraction: try inner.number("crop_pct") ?? base.cropFraction,
            cropMode: try inner.choice("crop_mode", among: PreprocessConfiguration.CropMode.allCases) ?? base.cropMode,
            cropRounding: try inner.choice("crop_rounding", among: PreprocessConfiguration.CropRounding.allCases)
                ?? base.cropRounding,
            mean: try inner.numbers("mean") ?? base.mean,
            standardDeviation: try inner.numbers("std") ?? base.standardDeviation)
        try inner.refuseUnknownKeys()
        return result
    }

    /// The contents of a `config.json`: every key, so that a file keeps its meaning, in alphabetical order; the labels
    /// only where they are more than their indices, and `layer_norm_eps`, `crop_mode` and `crop_rounding` only where
    /// they are not the defaults. The same configuration always gives the same bytes.
    /// - Throws: ``ConfigurationError/invalidValue(source:key:expected:found:)``.
    public func json() throws -> Data {
        try validate()
        func array(_ values: [Int]) -> JSONValue { .array(values.map { .integer($0) }) }
        // The shortest decimal that reads back as the same Float, not that Float's expansion to a Double.
        func array(_ values: [Float]) -> JSONValue { .array(values.map { .number(Double($0.description)!) }) }
        // Keys for the habits of other packages are there only where they say something.
        var crop: [JSONValue.Member] = []
        if preprocess.cropMode != .center { crop.append(.init("crop_mode", .string(preprocess.cropMode.rawValue))) }
        if preprocess.cropRounding != .even {
            crop.append(.init("crop_rounding", .string(preprocess.cropRounding.rawValue)))
        }
        var members: [JSONValue.Member] = [
            .init("model_type", .string("cetnet")), .init("dims", array(dims)), .init("depths", array(depths)),
            .init("num_heads", array(numHeads)), .init("mlp_ratios", array(mlpRatios)),
            .init("block", .string(block.rawValue)),
            .init("embeddings", .array(embeddings.map { .string($0.rawValue) })),
            .init("stem_channels", array(stemChannels)), .init("ce_layers", .integer(ceLayers)),
            .init("ce_unit", .string(ceUnit.rawValue)), .init("window_size", .integer(windowSize)),
            .init("image_size", .integer(imageSize)), .init("num_labels", .integer(numLabels)),
            .init("hidden_act", .string(hiddenActivation.rawValue)),
            .init(
                "preprocess",
                .object(
                    crop + [
                        .init("crop_pct", .number(preprocess.cropFraction)),
                        .init("interpolation", .string(preprocess.interpolation.rawValue)),
                        .init("mean", array(preprocess.mean)), .init("std", array(preprocess.standardDeviation)),
                    ])),
        ]
        if let layerNormEpsilon {
            members.append(.init("layer_norm_eps", .number(Double(layerNormEpsilon.description)!)))
        }
        if let variant { members.append(.init("variant", .string(variant))) }
        if !labelsAreIndices {
            members.append(
                .init("id2label", .object(labels.enumerated().map { .init(String($0), .string($1)) })))
        }
        members.sort { $0.key < $1.key }
        return Data((JSONValue.object(members).description + "\n").utf8)
    }
}
