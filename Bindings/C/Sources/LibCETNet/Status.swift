import CCETNet
import CETNetImaging
import Foundation

/// What this layer itself refuses: what Swift's types rule out and C's do not.
enum Refusal: Error, LocalizedError {
    case null(String)
    case unknown(String, Int)
    case structSize(String, Int)
    case range(String, allowed: String, Int)
    case otherProcess

    var errorDescription: String? {
        switch self {
        case .null(let name): "\(name) is NULL"
        case .unknown(let name, let value): "there is no \(name) \(value)"
        case .structSize(let name, let value):
            "\(name)->struct_size is \(value); expected the size of the structure in bytes"
        case .range(let name, let allowed, let value): "\(name) is \(value); allowed are \(allowed)"
        case .otherProcess:
            "the model was loaded before this process was forked from the one that loaded it; load it here"
        }
    }
}

func need<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw Refusal.null(name) }
    return value
}

/// Does what a function of the interface does, and tells C what became of it.
func report(
    to message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ body: () throws -> Void
) -> cetnet_status {
    message?.pointee = nil
    do {
        try body()
        return CETNET_OK
    } catch {
        message?.pointee = strdup(text(of: error))
        return status(of: error)
    }
}

/// What is wrong, in words. Not `localizedDescription`: that brings the tables of all languages into the library.
func text(of error: any Error) -> String {
    (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
}

func status(of error: any Error) -> cetnet_status {
    switch error {
    case Refusal.otherProcess: CETNET_WRONG_PROCESS
    case is Refusal: CETNET_INVALID_ARGUMENT
    case ImageError.outOfMemory, PreprocessingError.outOfMemory: CETNET_OUT_OF_MEMORY
    case is ImageError, is PreprocessingError: CETNET_INVALID_IMAGE
    case is ConfigurationError, is CheckpointError: CETNET_INVALID_MODEL
    case is BackendError, is KernelTierError: CETNET_UNAVAILABLE
    case let error as ModelError:
        switch error {
        case .noModel, .noConfiguration: CETNET_INVALID_MODEL
        case .noClassifier: CETNET_NO_CLASSIFIER
        case .elementCount, .shape, .imageSize, .option, .buffer, .noTensor, .task: CETNET_INVALID_ARGUMENT
        case .notFinite: CETNET_NOT_FINITE
        case .preprocessing(_, let error): status(of: error)
        case .outOfMemory: CETNET_OUT_OF_MEMORY
        default: CETNET_FAILED
        }
    default: CETNET_FAILED
    }
}

extension Precision {
    init(_ precision: cetnet_precision) throws {
        switch precision {
        case CETNET_FLOAT32: self = .float32
        case CETNET_BFLOAT16: self = .bfloat16
        case CETNET_INT8: self = .int8
        default: throw Refusal.unknown("precision", Int(precision.rawValue))
        }
    }

    var c: cetnet_precision {
        switch self {
        case .float32: CETNET_FLOAT32
        case .bfloat16: CETNET_BFLOAT16
        case .int8: CETNET_INT8
        }
    }
}

extension Backend {
    init(_ backend: cetnet_backend) throws {
        switch backend {
        case CETNET_BACKEND_AUTOMATIC: self = .automatic
        case CETNET_BACKEND_OPENBLAS: self = .openBLAS
        default: throw Refusal.unknown("backend", Int(backend.rawValue))
        }
    }
}

extension PixelFormat {
    init(_ format: cetnet_pixel_format) throws {
        switch format {
        case CETNET_RGB8: self = .rgb8
        case CETNET_BGR8: self = .bgr8
        case CETNET_RGBA8: self = .rgba8
        case CETNET_BGRA8: self = .bgra8
        case CETNET_GRAY8: self = .gray8
        default: throw Refusal.unknown("pixel format", Int(format.rawValue))
        }
    }
}

nonisolated(unsafe) private let version = strdup(CETNetVersion.current)

@c @implementation
public func cetnet_version() -> UnsafePointer<CChar>? { UnsafePointer(version) }

@c @implementation
public func cetnet_free(_ memory: UnsafeMutableRawPointer?) { free(memory) }
