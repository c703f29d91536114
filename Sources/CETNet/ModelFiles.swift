import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetNetworks
import CETNetPublicCheckpoints
import Foundation

/// The files of a model, opened and checked against each other.
///
/// Two forms: a directory with `config.json` and `model.safetensors`, whole or in shards with an index, or one `.safetensors` file whose metadata has
/// the same JSON under the key `config`. The configuration is this project's, or that of a package that publishes such
/// models; so are the names of the tensors.
package struct ModelFiles {
    static let configurationName = "config.json"
    static let weightsName = "model.safetensors"
    static let preprocessorName = "preprocessor_config.json"
    static let metadataKey = "config"
    static let indexName = "model.safetensors.index.json"
    /// What weights in PyTorch's own format are called in the same directories.
    private static let pickledName = "pytorch_model.bin"
    /// A thousand labels take a few dozen kilobytes; anything larger is no configuration.
    private static let largestConfiguration = 64 << 20

    let configuration: ModelConfiguration
    let network: Network
    let weights: any TensorSource
    /// Whose names the tensors have, for instance `Transformers' Swin`; `nil` for this project's own.
    let layout: String?
    /// The file's names of the classifier's tensors, if it has none of them: then the model is a backbone.
    let missingClassifier: [String]

    /// Whether the weights are rounded for the configuration's precision.
    var isQuantized: Bool { configuration.precision != .float32 }

    /// Opens the model at `url` and checks that every tensor is there, in its shape, and no other is; of the head all
    /// may be missing. Reads no tensor.
    init(contentsOf url: URL) throws {
        var isDirectory: ObjCBool = false
        guard Self.isThere(url) else {
            throw ModelError.noModel(path: url.path, reason: "no such file or directory")
        }
        let file: any TensorFile
        let files: PublicConfiguration.Files
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue {
            file = try Self.weights(in: url)
            files = try Self.configurations(in: url)
        } else {
            let single = try SafetensorsFile(contentsOf: url)
            file = single
            guard let json = single.metadata[Self.metadataKey] else { throw ModelError.noConfiguration(path: url.path) }
            files = PublicConfiguration.Files(
                configuration: try ModelConfiguration.parse(json: Data(json.utf8), source: url.path), source: url.path)
        }

        let known = try PublicConfiguration(files) { file.shape(of: $0)?.first }
        var configuration =
            try known?.model ?? ModelConfiguration(json: files.configuration, source: files.source)
        let whole = try Network(configuration, source: files.source).parameters
        let recognized =
            known?.layout
            ?? (configuration.precision != .float32
                ? nil
                : Layout.recognize(
                    file, task: configuration.task, block: configuration.block, depths: configuration.depths,
                    parameters: whole.map(\.name)))
        let isClassifier = configuration.task == .classification
        let head = ["head.weight", "head.bias"].flatMap { name in
            recognized.map { $0.theirNames(of: name, depths: configuration.depths) } ?? [name]
        }
        missingClassifier = !isClassifier || head.contains { file.info($0) != nil } ? [] : head
        if recognized != nil && known == nil && isClassifier { configuration.setImageNetLabels() }
        network = try Network(configuration, source: files.source, hasClassifier: missingClassifier.isEmpty)
        // Of the head's norm a backbone's file may keep a copy: embeddings are computed with it.
        let hasNorm = FinalNorm.names.allSatisfy { [depths = configuration.depths] name in
            let names = recognized?.theirNames(of: name, depths: depths, in: file) ?? [name]
            return !names.isEmpty && names.allSatisfy { file.info($0) != nil }
        }
        let needed = Set(network.parameters.map(\.name) + (hasNorm ? FinalNorm.names : []))
        let parameters = whole.filter { needed.contains($0.name) }.map { (name: $0.name, shape: $0.shape) }
        let unused = Set(whole.map(\.name)).subtracting(parameters.map(\.name))
        if configuration.precision != .float32 {
            try file.requireExactly(QuantizedTensor.list(network, configuration.precision))
            weights = file
        } else if let integers = parameters.first(where: { file.info($0.name)?.elementType == .i8 }) {
            throw ConfigurationError.invalidValue(
                source: files.source, key: "precision",
                expected: "\"int8\", for \(quoted(integers.name)) holds integers",
                found: "none")
        } else if let recognized {
            weights = try RenamedTensors(
                file, layout: recognized, depths: configuration.depths, parameters: parameters, unused: unused)
        } else {
            try file.requireExactly(parameters) {
                $0.hasSuffix(".num_batches_tracked") || unused.contains($0)
                    || !isClassifier && $0.hasPrefix(UPerNet.auxiliaryPrefix)
            }
            weights = file
        }
        layout = recognized?.name
        self.configuration = configuration
    }

    /// Checks that the model can be loaded so.
    /// - Throws: ``ModelError/quantized(path:precision:asked:)`` for another precision than weights are rounded for.
    func check(_ options: Model.Options) throws(ModelError) {
        guard isQuantized, let asked = options.precision, asked != configuration.precision else { return }
        throw .quantized(path: weights.sourceName, precision: configuration.precision, asked: asked)
    }

    /// Whether there is anything at a path: a link that leads nowhere is, and opening it says what is wrong with it.
    private static func isThere(_ url: URL) -> Bool {
        var status = stat()
        return lstat(url.path, &status) == 0
    }

    private static func weights(in directory: URL) throws -> any TensorFile {
        func isThere(_ name: String) -> Bool { Self.isThere(directory.appendingPathComponent(name)) }
        func missing(_ name: String, _ advice: String?) -> ModelError {
            .noModel(
                path: directory.path, reason: "no \(name) in this directory" + (advice.map { "; " + $0 } ?? ""))
        }
        guard isThere(configurationName) else {
            throw missing(
                configurationName,
                isThere(weightsName) || isThere(indexName)
                    ? converter + " writes one for checkpoints of torchvision, timm and a backbone's authors: "
                        + "convert.py \(directory.path) --output DIR"
                    : nil)
        }
        let url = directory.appendingPathComponent(weightsName)
        if isThere(weightsName) { return try SafetensorsFile(contentsOf: url) }
        guard isThere(indexName) else {
            throw missing(
                weightsName,
                isThere(pickledName) || isThere(pickledName + ".index.json")
                    ? converter + " makes one of \(pickledName)" : nil)
        }
        return try ShardedSafetensors(index: directory.appendingPathComponent(indexName))
    }

    private static func configurations(in directory: URL) throws -> PublicConfiguration.Files {
        let url = directory.appendingPathComponent(configurationName)
        let preprocessor = directory.appendingPathComponent(preprocessorName)
        return PublicConfiguration.Files(
            configuration: try ModelConfiguration.parse(json: read(url), source: url.path), source: url.path,
            preprocessor: isThere(preprocessor)
                ? try ModelConfiguration.parse(json: read(preprocessor), source: preprocessor.path) : nil,
            preprocessorSource: preprocessor.path)
    }

    /// The bytes of a configuration.
    /// - Throws: ``CheckpointError`` if it is no regular file or cannot be read; ``ModelError/noModel(path:reason:)``.
    package static func read(_ url: URL) throws -> Data {
        let file = try RegularFile(url)
        guard file.count <= largestConfiguration else {
            throw ModelError.noModel(
                path: url.path, reason: "larger than \(largestConfiguration) bytes, so no configuration")
        }
        return Data(try file.bytes(0..<file.count))
    }
}
