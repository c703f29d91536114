import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks
import CETNetPublicCheckpoints
import Foundation

/// The files of a model, opened and checked against each other.
///
/// Two forms: a directory with `config.json` and `model.safetensors`, or one `.safetensors` file whose metadata has
/// the same JSON under the key `config`. The configuration is this project's, or that of a package that publishes such
/// models; so are the names of the tensors.
struct ModelFiles {
    static let configurationName = "config.json"
    static let weightsName = "model.safetensors"
    static let preprocessorName = "preprocessor_config.json"
    static let metadataKey = "config"
    /// How a person gets from another package's files to a model.
    static let converter = "the script convert.py of this project's repository, folder Tools/python,"
    /// What weights in PyTorch's own format are called in the same directories.
    private static let pickledName = "pytorch_model.bin"
    /// A thousand labels take a few dozen kilobytes; anything larger is no configuration.
    private static let largestConfiguration = 64 << 20

    let configuration: ModelConfiguration
    let network: Network
    let weights: any TensorSource
    /// Whose names the tensors have, for instance `Transformers' Swin`; `nil` for this project's own.
    let layout: String?

    /// Opens the model at `url` and checks that every tensor is there, in its shape, and no other is. Reads no tensor.
    init(contentsOf url: URL) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw ModelError.noModel(path: url.path, reason: "no such file or directory")
        }
        let file: SafetensorsFile
        let files: PublicConfiguration.Files
        if isDirectory.boolValue {
            file = try SafetensorsFile(contentsOf: Self.weights(in: url))
            files = try Self.configurations(in: url)
        } else {
            file = try SafetensorsFile(contentsOf: url)
            guard let json = file.metadata[Self.metadataKey] else { throw ModelError.noConfiguration(path: url.path) }
            files = PublicConfiguration.Files(
                configuration: try ModelConfiguration.parse(json: Data(json.utf8), source: url.path), source: url.path)
        }

        let known = try PublicConfiguration(files) { file.shape(of: $0)?.first }
        var configuration =
            try known?.model ?? ModelConfiguration(json: files.configuration, source: files.source)
        var network = try Network(configuration, source: files.source)
        let parameters = network.parameters.map { (name: $0.name, shape: $0.shape) }
        let recognized =
            known?.layout
            ?? Layout.recognize(
                file, block: configuration.block, depths: configuration.depths, parameters: parameters.map(\.name))
        if let recognized {
            weights = try RenamedTensors(
                file, layout: recognized, depths: configuration.depths, parameters: parameters)
            if known == nil {
                configuration.setImageNetLabels()
                network = try Network(configuration, source: files.source)
            }
        } else {
            try file.requireExactly(parameters)
            weights = file
        }
        layout = recognized?.name
        self.configuration = configuration
        self.network = network
    }

    private static func weights(in directory: URL) throws(ModelError) -> URL {
        func isThere(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: directory.appendingPathComponent(name).path)
        }
        func missing(_ name: String, _ advice: String?) -> ModelError {
            .noModel(
                path: directory.path, reason: "no \(name) in this directory" + (advice.map { "; " + $0 } ?? ""))
        }
        guard isThere(configurationName) else {
            throw missing(
                configurationName,
                isThere(weightsName)
                    ? converter + " writes one for checkpoints of torchvision and of a backbone's authors"
                    : nil)
        }
        guard isThere(weightsName) else {
            throw missing(
                weightsName,
                isThere(pickledName) ? converter + " makes one of \(pickledName)" : nil)
        }
        return directory.appendingPathComponent(weightsName)
    }

    private static func configurations(in directory: URL) throws -> PublicConfiguration.Files {
        let url = directory.appendingPathComponent(configurationName)
        let preprocessor = directory.appendingPathComponent(preprocessorName)
        return PublicConfiguration.Files(
            configuration: try ModelConfiguration.parse(json: read(url), source: url.path), source: url.path,
            preprocessor: FileManager.default.fileExists(atPath: preprocessor.path)
                ? try ModelConfiguration.parse(json: read(preprocessor), source: preprocessor.path) : nil,
            preprocessorSource: preprocessor.path)
    }

    private static func read(_ url: URL) throws(ModelError) -> Data {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            data = try handle.read(upToCount: largestConfiguration + 1) ?? Data()
        } catch {
            throw .noModel(path: url.path, reason: "cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= largestConfiguration else {
            throw .noModel(path: url.path, reason: "larger than \(largestConfiguration) bytes, so no configuration")
        }
        return data
    }
}
