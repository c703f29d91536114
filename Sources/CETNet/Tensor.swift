import CETNetMemory

/// An array of float32 numbers, row-major: the last axis is innermost.
///
/// What a ``Model`` takes and gives: image batches are (batch, 3, height, width), logits (batch, labels), feature maps
/// (batch, channels, height, width).
public struct Tensor: Sendable, Equatable {
    /// Extent of each axis.
    public let shape: [Int]
    /// The numbers; always as many as the product of ``shape``.
    public private(set) var values: [Float]

    /// A tensor of the given numbers.
    /// - Throws: ``ModelError/elementCount(shape:found:)`` if an extent is negative or `values` does not have exactly
    ///   as many elements as the shape says.
    public init(shape: [Int], values: [Float]) throws(ModelError) {
        guard Self.elementCount(of: shape) == values.count else {
            throw .elementCount(shape: shape, found: values.count)
        }
        self.shape = shape
        self.values = values
    }

    /// A tensor of zeros, if there is memory for it.
    /// - Throws: ``ModelError/outOfMemory(bytes:)``.
    init(zeroed shape: [Int]) throws(ModelError) {
        self.shape = shape
        values = try passOnOutOfMemory { () throws(OutOfMemoryError) in
            try [Float](0, count: Self.elementCount(of: shape) ?? .max)
        }
    }

    /// A tensor of zeros. No extent may be negative, and all must fit in memory.
    public init(zeros shape: [Int]) {
        guard let count = Self.elementCount(of: shape) else {
            preconditionFailure("\(shape) is not the shape of a tensor")
        }
        self.shape = shape
        values = [Float](repeating: 0, count: count)
    }

    /// Calls `body` with the numbers in place.
    public mutating func withUnsafeMutableValues<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The buffer is handed on as a value, so that `values` keeps its count.
        var result: Swift.Result<Result, Failure>?
        values.withUnsafeMutableBufferPointer { buffer in
            do throws(Failure) {
                result = .success(try body(buffer))
            } catch {
                result = .failure(error)
            }
        }
        return try result!.get()
    }

    /// The part of the tensor at `index` of the first axis, for instance one image's logits.
    public subscript(row index: Int) -> ArraySlice<Float> {
        precondition(!shape.isEmpty && (0..<shape[0]).contains(index), "row \(index) of a tensor of shape \(shape)")
        let count = values.count / shape[0]
        return values[index * count..<(index + 1) * count]
    }

    /// The product of the extents, or `nil` if one is negative or the product overflows.
    static func elementCount(of shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            guard extent >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}
