import CETNetMemory
import Foundation
import Synchronization

/// The tensors of a `.safetensors` file.
///
/// Opening checks the whole header; a tensor's bytes are read when they are asked for. A file that is damaged or hostile
/// is a ``CheckpointError``. While it is in use the file may be replaced by another; one that is truncated or written to
/// in place is a ``CheckpointError``, too.
public final class SafetensorsFile: TensorFile {
    /// Where it was opened.
    public let url: URL
    /// The texts under `__metadata__`.
    public let metadata: [String: String]
    /// All tensors, in the order of their bytes.
    public let tensors: [TensorInfo]

    private let file: RegularFile
    /// What tensors were read into to be lent, for the next ones: fresh memory for each would cost more than reading.
    private let buffers = Mutex<[HugePageMemory]>([])
    private let indices: [String: Int]

    /// Opens a file.
    /// - Throws: ``CheckpointError`` if it cannot be read or anything about it is not as the format demands.
    public init(contentsOf url: URL) throws {
        self.url = url
        file = try RegularFile(url)
        let header = try SafetensorsHeader(of: file)
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
        precondition(
            destination.count == info.count, "\(name) has \(info.count) elements, the buffer \(destination.count)")
        guard !destination.isEmpty else { return }
        guard info.elementType != .f32 else {
            return try file.read(
                from: info.byteRange.lowerBound, into: UnsafeMutableRawBufferPointer(destination))
        }
        try file.bytes(info.byteRange).withUnsafeBytes {
            switch info.elementType {
            case .f16: HalfPrecision.convert(binary16: $0.baseAddress!, to: destination)
            default: HalfPrecision.convert(bfloat16: $0.baseAddress!, to: destination)
            }
        }
    }

    /// Lends a tensor as float32, row-major, in memory that is used again for the next one.
    public func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let count = try readable(name).count
        let bytes = count * MemoryLayout<Float>.stride
        var buffer = buffers.withLock { $0.popLast() }
        if buffer.map({ $0.bytes < bytes }) ?? true { buffer = try HugePageMemory(bytes: bytes) }
        let memory = buffer!
        defer { buffers.withLock { $0.append(memory) } }
        let values = UnsafeMutableBufferPointer(
            start: memory.base.assumingMemoryBound(to: Float.self), count: count)
        try read(name, into: values)
        return try body(UnsafeBufferPointer(values))
    }
}
