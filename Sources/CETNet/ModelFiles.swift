import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks
import Foundation

/// The files of a model, opened and checked against each other.
///
/// Two forms: a directory with `config.json` and `model.safetensors`, or one `.safetensors` file whose metadata has
/// the same JSON under the key `config`.
struct ModelFiles {
    static let configurationName = "config.json"
    static let weightsName = "model.safetensors"
    static let metadataKey = "config"
    /// A thousand labels take a few dozen kilobytes; anything larger is no configuration.
    private static let largestConfiguration = 64 << 20

    let configuration: ModelConfiguration
    let network: Network
    let weights: SafetensorsFile

    /// Opens the model at `url` and checks that every tensor is there, in its shape, and no other is. Reads no tensor.
    init(contentsOf url: URL) throws {
        let source: String
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw ModelError.noModel(path: url.path, reason: "no such file or directory")
        }
        if isDirectory.boolValue {
            let configurationURL = url.appendingPathComponent(Self.configurationName)
            let weightsURL = url.appendingPathComponent(Self.weightsName)
            for file in [configurationURL, weightsURL] where !FileManager.default.fileExists(atPath: file.path) {
                throw ModelError.noModel(path: url.path, reason: "no \(file.lastPathComponent) in this directory")
            }
            source = configurationURL.path
            configuration = try ModelConfiguration(json: Self.readConfiguration(configurationURL), source: source)
            weights = try SafetensorsFile(contentsOf: weightsURL)
        } else {
            weights = try SafetensorsFile(contentsOf: url)
            guard let json = weights.metadata[Self.metadataKey] else {
                throw ModelError.noConfiguration(path: url.path)
            }
            source = url.path
            configuration = try ModelConfiguration(json: Data(json.utf8), source: source)
        }
        network = try Network(configuration, source: source)
        // Tensors do not depend on the image size, so the smallest will do.
        let parameters = network.graph(imageSize: ImageSize(square: Network.minimumImageSide)).parameters
        try weights.requireExactly(parameters.map { ($0.name, $0.shape) })
    }

    private static func readConfiguration(_ url: URL) throws -> Data {
        let handle: FileHandle
        do {
            handle = try FileHandle(forReadingFrom: url)
        } catch {
            throw ModelError.noModel(path: url.path, reason: "cannot be opened: \(error.localizedDescription)")
        }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: largestConfiguration + 1) ?? Data()
        } catch {
            throw ModelError.noModel(path: url.path, reason: "cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= largestConfiguration else {
            throw ModelError.noModel(
                path: url.path, reason: "larger than \(largestConfiguration) bytes, so no configuration")
        }
        return data
    }
}
