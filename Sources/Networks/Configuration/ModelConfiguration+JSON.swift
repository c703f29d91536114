import CETNetCheckpoint
import CETNetGraph
import CETNetPreprocessing
import Foundation

extension ModelConfiguration {
    /// Keys that other tools leave in a `config.json` and that say nothing about what is computed.
    private static let ignoredKeys: Set<String> = [
        "_name_or_path", "architectures", "dtype", "label2id", "torch_dtype", "transformers_version",
    ]
    /// No configuration is larger; a million labels fit.
    private static let maximumByteCount = 64 << 20

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
    package init(json value: JSONValue, source: String) throws(ConfigurationError) {
        var reader = try ConfigurationReader(value, source: source)
        guard let modelType = reader.value("model_type") else { throw reader.missing("model_type") }
        guard modelType == .string("cetnet") else { throw reader.invalid("model_type", "\"cetnet\"", modelType) }
        try self.init(&reader, known: Variant.all)
        try reader.refuseUnknownKeys(ignoring: Self.ignoredKeys)
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

    /// Reads the keys of an object; not validated.
    /// - Parameter known: the variants that `variant` may name.
    init(_ reader: inout ConfigurationReader, known: @autoclosure () -> [Variant]) throws(ConfigurationError) {
        let block = try reader.choice("block", among: Block.allCases)
        if let name = try reader.string("variant") {
            let known = known()
            guard let base = known.first(where: { $0.name == name }) else {
                throw .unknownVariant(source: reader.source, name: name, known: known.map(\.name))
            }
            self = base.configuration
            // A block chosen here brings its own default with it.
            if let block { hiddenActivation = block.defaultActivation }
        } else {
            func required(_ key: String) throws(ConfigurationError) -> [Int] {
                guard let values = try reader.integers(key) else { throw reader.missing(key) }
                return values
            }
            try self.init(
                dims: required("dims"), depths: required("depths"), numHeads: required("num_heads"),
                block: block ?? .lewin)
        }
        for key in Self.allKeys { try key.read(&reader, &self) }
        if var inner = try reader.object("preprocess") {
            for key in PreprocessConfiguration.keys { try key.read(&inner, &preprocess) }
            try inner.refuseUnknownKeys()
        }
    }

    /// The contents of a `config.json`: every key, so that a file keeps its meaning, in alphabetical order; the labels
    /// only where they are more than their indices, and `layer_norm_eps`, `precision`, `shift`, `crop_mode`,
    /// `crop_rounding`, `task` and `head` only where they are not the defaults. The same configuration always gives the
    /// same bytes.
    /// - Throws: ``ConfigurationError/invalidValue(source:key:expected:found:)``.
    public func json() throws -> Data {
        try validate()
        var members = Self.allKeys.members(of: self)
        members.append(.init("model_type", .string("cetnet")))
        members.append(.init("preprocess", .object(PreprocessConfiguration.keys.members(of: preprocess))))
        if let variant { members.append(.init("variant", .string(variant))) }
        members.sort { $0.key < $1.key }
        return Data((JSONValue.object(members).description + "\n").utf8)
    }

    /// The labels by index, and how many there are, which a file may say alone.
    static let labelKeys: [ConfigurationKey<ModelConfiguration>] = [
        ConfigurationKey(
            name: "num_labels",
            read: { reader, configuration throws(ConfigurationError) in
                guard let count = try reader.integer("num_labels") else { return }
                guard let problem = labelProblem(count) else { return configuration.setLabelCount(count) }
                throw reader.invalid("num_labels", problem.expected, .integer(count))
            },
            write: { .integer($0.numLabels) }, problem: { labelProblem($0.numLabels) }),
        ConfigurationKey(
            name: "id2label",
            read: { reader, configuration throws(ConfigurationError) in
                let count = try reader.integer("num_labels")
                guard let labels = try reader.labels("id2label") else { return }
                guard labels.count == count ?? labels.count, labelProblem(labels.count) == nil else {
                    throw reader.invalid(
                        "id2label", "\(count ?? 1) labels, as \"num_labels\" says", reader.value("id2label")!)
                }
                configuration.setLabels(labels)
            },
            write: { configuration in
                guard !configuration.labelsAreIndices else { return nil }
                return .object(configuration.labels.enumerated().map { .init(String($0), .string($1)) })
            },
            problem: { _ in nil }),
    ]

    private static func labelProblem(_ count: Int) -> ConfigurationKey<ModelConfiguration>.Problem? {
        guard !labelCounts.contains(count) else { return nil }
        return ("a number from \(labelCounts.lowerBound) to \(labelCounts.upperBound)", "\(count)")
    }
}

extension PreprocessConfiguration {
    /// Every key under `preprocess`, in the order of a file; those for the habits of other packages are there only
    /// where they say something.
    static let keys: [ConfigurationKey<PreprocessConfiguration>] = [
        .choice("crop_mode", \.cropMode, among: CropMode.allCases, silent: .center),
        .choice("crop_rounding", \.cropRounding, among: CropRounding.allCases, silent: .even),
        ConfigurationKey(
            "crop_pct", \.cropFraction,
            read: { reader throws(ConfigurationError) in try reader.number("crop_pct") }, write: { .number($0) },
            problem: { value, _ in (0.1...1.0).contains(value) ? nil : ("a number from 0.1 to 1.0", "\(value)") }),
        .choice("interpolation", \.interpolation, among: Interpolation.allCases),
        .channels("mean", \.mean, kind: "finite", where: \.isFinite),
        .channels("std", \.standardDeviation, kind: "positive") { $0.isFinite && $0 >= .leastNormalMagnitude },
    ]
}
