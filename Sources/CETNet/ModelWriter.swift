import CETNetCheckpoint
import CETNetNetworks
import Foundation

extension ModelConfiguration {
    /// Writes a model directory of this configuration with seeded random weights: `config.json` and
    /// `model.safetensors`. The same configuration and seed give the same bytes.
    ///
    /// The directory is made if need be. Each file is written under another name first and then renamed, so a model is
    /// never half there under its own name.
    /// - Parameter replacing: whether a model already in the directory may be replaced.
    /// - Throws: ``ModelError/fileExists(path:)``, ``ConfigurationError``, or ``CheckpointError`` from writing.
    public func writeRandomModel(seed: UInt64, to directory: URL, replacing: Bool = false) throws {
        let network = try Network(self)
        let weights = RandomWeights(network: network, seed: seed)
        let configurationURL = directory.appendingPathComponent(ModelFiles.configurationName)
        let weightsURL = directory.appendingPathComponent(ModelFiles.weightsName)
        if !replacing {
            for url in [configurationURL, weightsURL] where FileManager.default.fileExists(atPath: url.path) {
                throw ModelError.fileExists(path: url.path)
            }
        }
        try makeDirectory(at: directory)
        // The configuration comes last: a directory that has one has all of a model.
        try SafetensorsWriter.write(
            weights.parameters.map(\.name), of: weights, metadata: ["format": "pt"], to: weightsURL)
        try AtomicFile.write(json(), to: configurationURL)
    }
}

/// Makes a directory, and those above it, where there is none.
/// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
package func makeDirectory(at url: URL) throws(CheckpointError) {
    do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
        // Foundation wraps the system's number in an error of its own.
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        let code = cause.domain == NSPOSIXErrorDomain ? Int32(cause.code) : EEXIST
        throw .cannotWrite(file: url.path, cause: SystemError(code: code))
    }
}
