import Foundation

/// The tensors of a `.safetensors` file, read in place.
///
/// Opening maps the file into memory and checks its whole header; the tensors' bytes are not touched until they are
/// asked for. A file that is damaged or hostile is a ``CheckpointError``. While it is in use the file may be replaced
/// by another, but must not be truncated in place.
public final class SafetensorsFile: TensorFile {
    /// Where it was opened.
    public let url: URL
    /// The texts under `__metadata__`.
    public let metadata: [String: String]
    /// All tensors, in the order of their bytes.
    public let tensors: [TensorInfo]

    private let file: MappedFile
    private let indices: [String: Int]

    /// Opens a file.
    /// - Throws: ``CheckpointError`` if it cannot be read or anything about it is not as the format demands.
    public init(contentsOf url: URL) throws {
        self.url = url
        let file = try MappedFile(url)
        let header = try file.withBytes { try SafetensorsHeader($0, file: file.path) }
        self.file = file
        metadata = header.metadata
        tensors = header.tensors
        indices = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { ($1.name, $0) })
    }

    /// The path, as error messages name it.
    public var sourceName: String { file.path }

    public func info(_ name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

    /// Copies a tensor as float32, row-major; F16 and BF16 are converted, which is exact.
    public func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        let info = try readable(name)
        try file.checkUnchanged()
        precondition(
            destination.count == info.count, "\(name) has \(info.count) elements, the buffer \(destination.count)")
        guard let target = destination.baseAddress, !destination.isEmpty else { return }
        file.withBytes { bytes in
            let source = bytes.baseAddress! + info.byteRange.lowerBound
            switch info.elementType {
            case .f16: HalfPrecision.convert(binary16: source, to: destination)
            case .bf16: HalfPrecision.convert(bfloat16: source, to: destination)
            default: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: info.byteRange.count)
            }
        }
    }

    /// Lends a tensor as float32, row-major: straight from the mapping if it is F32 and aligned, else converted.
    public func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let info = try readable(name)
        let isAligned = info.byteRange.lowerBound % MemoryLayout<Float>.alignment == 0
        guard info.elementType == .f32, isAligned else {
            return try values(of: name).withUnsafeBufferPointer(body)
        }
        try file.checkUnchanged()
        return try file.withBytes { bytes in
            try UnsafeRawBufferPointer(rebasing: bytes[info.byteRange]).withMemoryRebound(to: Float.self, body)
        }
    }

    /// Gives the memory behind the mapping back to the system; tensors can still be read, from the file again.
    public func releaseMemory() { file.releasePages() }
}
