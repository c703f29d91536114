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
        try withBytes(of: info) {
            switch info.elementType {
            case .f16: HalfPrecision.convert(binary16: $0, to: destination)
            default: HalfPrecision.convert(bfloat16: $0, to: destination)
            }
        }
    }

    /// Lends a tensor as float32, row-major, in memory that is used again for the next one.
    public func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let count = try readable(name).count
        return try withBuffer(bytes: count * MemoryLayout<Float>.stride) { base in
            let values = UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: count)
            try read(name, into: values)
            return try body(UnsafeBufferPointer(values))
        }
    }

    public func withIntegers<R>(of name: String, _ body: (UnsafeBufferPointer<Int8>) throws -> R) throws -> R {
        guard let info = info(name), info.elementType == .i8 else {
            throw CheckpointError.missingTensor(file: sourceName, tensor: name)
        }
        return try withBytes(of: info) {
            try body(UnsafeBufferPointer(start: $0.assumingMemoryBound(to: Int8.self), count: info.count))
        }
    }

    private func withBytes<R>(of info: TensorInfo, _ body: (UnsafeRawPointer) throws -> R) throws -> R {
        try withBuffer(bytes: info.byteRange.count) { base in
            let bytes = UnsafeMutableRawBufferPointer(start: base, count: info.byteRange.count)
            try file.read(from: info.byteRange.lowerBound, into: bytes)
            return try body(base)
        }
    }

    /// Lends memory that is used again.
    private func withBuffer<R>(bytes: Int, _ body: (UnsafeMutableRawPointer) throws -> R) throws -> R {
        var buffer = buffers.withLock { $0.popLast() }
        if buffer.map({ $0.bytes < bytes }) ?? true { buffer = try HugePageMemory(bytes: bytes) }
        let memory = buffer!
        defer { buffers.withLock { $0.append(memory) } }
        return try body(memory.base)
    }
}
