import CETNetCheckpoint
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
        try writeModel(weights.parameters.map(\.name), of: weights, to: directory, replacing: replacing)
    }

    /// Writes a model directory of this configuration with the named tensors of a source; as the form with a seed.
    func writeModel(_ names: [String], of weights: some TensorSource, to directory: URL, replacing: Bool) throws {
        let configurationURL = directory.appendingPathComponent(ModelFiles.configurationName)
        let weightsURL = directory.appendingPathComponent(ModelFiles.weightsName)
        if !replacing {
            for url in [configurationURL, weightsURL] where FileManager.default.fileExists(atPath: url.path) {
                throw ModelError.fileExists(path: url.path)
            }
        }
        try makeDirectory(at: directory)
        // The configuration comes last: a directory that has one has all of a model.
        try SafetensorsWriter.write(names, of: weights, metadata: ["format": "pt"], to: weightsURL)
        try AtomicFile.write(json(), to: configurationURL)
    }
}

/// Makes a directory, and those above it, where there is none.
/// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
package func makeDirectory(at url: URL) throws(CheckpointError) {
    guard mkdir(url.path, 0o777) != 0 else { return }
    let code = errno
    let parent = url.deletingLastPathComponent()
    switch code {
    case EEXIST where (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true:
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
