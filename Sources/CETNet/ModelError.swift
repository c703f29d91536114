import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetMemory
import CETNetNetworks
import CETNetPreprocessing
import Foundation

/// What can be wrong with a model's files or with what a model is given.
///
/// Loading also throws ``ConfigurationError`` for the contents of a configuration and ``CheckpointError`` for the
/// contents of a weights file, missing and misshapen tensors included.
public enum ModelError: Error, Equatable, Sendable {
    /// There is no model at the path: no such file, or a directory without one of the two files of a model.
    case noModel(path: String, reason: String)
    /// A weights file that should stand alone has no configuration in its metadata.
    case noConfiguration(path: String)
    /// The model is a backbone: its file has none of the classifier's tensors, so that it gives feature maps and no
    /// logits.
    case noClassifier(missing: [String])
    /// The model does something else than what it is asked for: `task`, where the call is for a model of `expected`.
    case task(ModelConfiguration.Task, expected: ModelConfiguration.Task)
    /// A tensor's element count is not the product of its shape.
    case elementCount(shape: [Int], found: Int)
    /// A tensor has another shape than the call takes.
    case shape(of: String, expected: String, found: [Int])
    /// Images of this size cannot be run.
    case imageSize(ImageSize, allowed: String)
    /// A model option, or an argument of a session, is out of range.
    case option(name: String, allowed: String, found: Int)
    /// A memory buffer is too small for what should be read from it or written to it.
    case buffer(of: String, needed: Int, found: Int)
    /// An image's logits are NaN or infinite, so there is nothing to rank: the input or the weights are not finite.
    /// The image is given by its position in the batch.
    case notFinite(image: Int)
    /// An image cannot be prepared for the model. The image is given by its name.
    case preprocessing(image: String, PreprocessingError)
    /// No tensor of this name goes into the model or comes out of it, or the call lacks it.
    case noTensor(name: String, known: [String])
    /// There is no memory of `bytes` bytes for the weights or for a run.
    case outOfMemory(bytes: Int)
    /// The task was cancelled before its work began.
    case cancelled
    /// The weights of a file are rounded for a precision, and another was asked for.
    case quantized(path: String, precision: Precision, asked: Precision)
    /// A file is in the way, and was not to be replaced.
    case fileExists(path: String)
}

extension ModelError: CustomStringConvertible, LocalizedError {
    /// What is wrong, in words for a person.
    public var description: String {
        switch self {
        case .noModel(let path, let reason):
            "\(path): \(reason)"
        case .noConfiguration(let path):
            "\(path): no \"config\" in the file's metadata; a model is a folder with config.json and "
                + "model.safetensors, or one .safetensors file with the configuration in its metadata; "
                + converter + " makes a folder of a checkpoint of torchvision or of a backbone's authors"
        case .noClassifier(let missing):
            "the model has no classifier (missing: \(missing.joined(separator: ", "))): it gives feature maps only"
        case .task(let task, let expected):
            "the model is for \(task.rawValue), not for \(expected.rawValue)"
        case .elementCount(let shape, let found):
            "a tensor of shape \(shape) cannot have \(found) elements"
        case .shape(let what, let expected, let found):
            "the shape of \(what) is \(found); expected \(expected)"
        case .imageSize(let size, let allowed):
            "an image size of \(size) cannot be run; allowed are \(allowed)"
        case .option(let name, let allowed, let found):
            "\(name) is \(found); allowed are \(allowed)"
        case .buffer(let what, let needed, let found):
            "the buffer of \(what) has room for \(found) numbers; needed are \(needed)"
        case .notFinite(let image):
            "the logits of image \(image) are not finite: its pixels or the model's weights hold NaN or infinity"
        case .preprocessing(let image, let error):
            "\(image): \(error)"
        case .noTensor(let name, let known):
            "there is no tensor \"\(name)\"; there are " + (known.isEmpty ? "none" : known.joined(separator: ", "))
        case .outOfMemory(let bytes):
            OutOfMemoryError(bytes: bytes).description
        case .cancelled:
            "cancelled"
        case .quantized(let path, let precision, let asked):
            "\(path): quantised for \(precision.rawValue), expected that precision, found \(asked.rawValue); other "
                + "precisions need the model that it was made of"
        case .fileExists(let path):
            "\(path) exists already"
        }
    }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}

/// Does what the engine may lack memory for, with the API's error.
package func passOnOutOfMemory<Value>(_ body: () throws(OutOfMemoryError) -> Value) throws(ModelError) -> Value {
    do throws(OutOfMemoryError) {
        return try body()
    } catch {
        throw .outOfMemory(bytes: error.bytes)
    }
}
