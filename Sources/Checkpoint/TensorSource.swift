import CETNetMemory

/// Somewhere that named tensors come from: a safetensors file, or seeded random numbers.
public protocol TensorSource: Sendable {
    /// What error messages call it: a path, or a description.
    var sourceName: String { get }

    /// The shape of a tensor, or `nil` if there is none of that name.
    func shape(of name: String) -> [Int]?

    /// Copies a tensor as float32, row-major, into `destination`, which has exactly its element count.
    ///
    /// May be called from several threads at once.
    /// - Throws: ``CheckpointError`` if there is no such tensor or its element type cannot be read as float32.
    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws

    /// Lends a tensor as float32, row-major, to `body`, without a copy where the source already holds it so.
    ///
    /// The buffer must not escape. May be called from several threads at once.
    /// - Throws: what ``read(_:into:)`` throws, and what `body` throws.
    func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R

    /// Lends a tensor of 8-bit integers (I8), row-major, to `body`. By default there is none.
    ///
    /// The buffer must not escape. May be called from several threads at once.
    /// - Throws: ``CheckpointError`` if there is no such tensor; what `body` throws.
    func withIntegers<R>(of name: String, _ body: (UnsafeBufferPointer<Int8>) throws -> R) throws -> R
}

extension TensorSource {
    public func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let values = try values(of: name)
        return try values.withUnsafeBufferPointer(body)
    }

    public func withIntegers<R>(of name: String, _ body: (UnsafeBufferPointer<Int8>) throws -> R) throws -> R {
        throw CheckpointError.missingTensor(file: sourceName, tensor: name)
    }

    /// A tensor as float32, row-major.
    /// - Throws: what ``read(_:into:)`` throws; ``OutOfMemoryError``.
    public func values(of name: String) throws -> [Float] {
        guard let shape = shape(of: name) else {
            throw CheckpointError.missingTensor(file: sourceName, tensor: name)
        }
        return try [Float](count: shape.reduce(1, *)) { try read(name, into: $0) }
    }
}
