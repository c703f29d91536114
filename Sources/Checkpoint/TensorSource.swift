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
}
