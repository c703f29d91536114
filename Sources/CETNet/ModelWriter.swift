import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetNetworks
import Foundation

extension ModelConfiguration {
    /// Writes a model directory of this configuration with seeded random weights: `config.json` and
    /// `model.safetensors`. The same configuration and seed give the same bytes.
    ///
    /// The directory is made if need be. Each file is written under another name first and then renamed, so a model is
    /// never half there under its own name.
    /// - Parameters:
    ///   - seed: of the random numbers.
    ///   - directory: of the model.
    ///   - replacing: whether a model already in the directory may be replaced.
    /// - Throws: ``ModelError/fileExists(path:)``, ``ConfigurationError``, or ``CheckpointError`` from writing.
    public func writeRandomModel(seed: UInt64, to directory: URL, replacing: Bool = false) throws {
        let network = try Network(self)
        let weights = SeededTensors(network: network, seed: seed)
        var configuration = self
        configuration.precision = .float32
        try configuration.writeModel(
            weights.parameters.map(\.name), of: weights, to: directory, replacing: replacing)
    }

    /// Writes a model directory of this configuration with the named tensors of a source.
    func writeModel(_ names: [String], of weights: some TensorSource, to directory: URL, replacing: Bool) throws {
        try write(to: directory, replacing: replacing) { url in
            try SafetensorsWriter.write(names, of: weights, metadata: ["format": "pt"], to: url)
        }
    }

    /// Writes the two files of a model directory.
    fileprivate func write(to directory: URL, replacing: Bool, weights: (URL) throws -> Void) throws {
        let configurationURL = directory.appendingPathComponent(ModelFiles.configurationName)
        let weightsURL = directory.appendingPathComponent(ModelFiles.weightsName)
        if !replacing {
            for url in [configurationURL, weightsURL] where FileManager.default.fileExists(atPath: url.path) {
                throw ModelError.fileExists(path: url.path)
            }
        }
        try makeDirectory(at: directory)
        // The configuration comes last: a directory that has one has all of a model.
        try weights(weightsURL)
        try AtomicFile.write(json(), to: configurationURL)
    }
}

extension Model {
    /// Writes a model directory with the weights of another model rounded for a precision: half of the bytes, or less
    /// than a third, and the same results bit for bit as the other has in that precision. Tensors get this project's
    /// names, whatever they are called in the other.
    ///
    /// Each file is written under another name first and then renamed, so a model is never half there under its own
    /// name.
    /// - Parameters:
    ///   - model: a model on disk, as ``init(contentsOf:options:)`` takes it.
    ///   - precision: of the new model.
    ///   - directory: of the new model; made if need be.
    ///   - replacing: whether a model already in the directory may be replaced.
    /// - Throws: ``ModelError/quantized(path:precision:asked:)`` for a model that is quantised for another precision;
    ///   ``ModelError/fileExists(path:)``; what loading throws; ``CheckpointError`` for weights that are not finite, and
    ///   from writing.
    public static func quantize(
        contentsOf model: URL, precision: Precision, to directory: URL, replacing: Bool = false
    ) throws {
        let files = try ModelFiles(contentsOf: model)
        try files.check(Options(precision: precision))
        var configuration = files.configuration
        configuration.precision = precision
        try configuration.write(to: directory, replacing: replacing) { url in
            let frozen = try Model(files, options: Options(precision: precision)).frozen
            let tensors = QuantizedTensor.list(files.network, precision)
            try SafetensorsWriter.write(
                tensors.map { ($0.name, $0.shape, $0.elementType ?? .f32) }, metadata: ["format": "pt"], to: url
            ) { index, body in
                try tensors[index].withBytes(in: frozen, from: files.weights, body)
            }
        }
    }
}

extension QuantizedTensor {
    /// The tensors of a network in a precision; they do not depend on the image's size.
    static func list(_ network: Network, _ precision: Precision) -> [QuantizedTensor] {
        list(network.graph(imageSize: ImageSize(square: Network.minimumImageSide)), precision: precision)
    }
}

extension TensorFile {
    /// Checks that the file holds exactly these tensors in their types.
    func requireExactly(_ tensors: [QuantizedTensor]) throws {
        try requireExactly(
            tensors.map { ($0.name, $0.shape) },
            types: Dictionary(
                uniqueKeysWithValues: tensors.compactMap { tensor in tensor.elementType.map { (tensor.name, $0) } }))
    }
}

/// Makes a directory, and those above it, where there is none.
/// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
package func makeDirectory(at url: URL) throws(CheckpointError) {
    guard mkdir(url.path, 0o777) != 0 else { return }
    let code = errno
    let parent = url.deletingLastPathComponent()
    switch code {
    case EEXIST where isDirectory(url):
        return
    case ENOENT where parent.path.utf8.count < url.path.utf8.count:
        try makeDirectory(at: parent)
        guard mkdir(url.path, 0o777) == 0 else {
            throw .cannotWrite(file: url.path, cause: SystemError(code: errno))
        }
    default:
        throw .cannotWrite(file: url.path, cause: SystemError(code: code))
    }
}

private func isDirectory(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
}
