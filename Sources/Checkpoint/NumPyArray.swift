import CETNetMemory
import Foundation

/// A float32 array in NumPy's `.npy` format, row-major ("C order") in memory.
public struct NumPyArray: Sendable, Equatable {
    /// Empty for a scalar.
    public let shape: [Int]
    /// Row-major; as many as the shape says.
    public let values: [Float]

    /// An array of a shape; stops the program if `values` are not as many as `shape` says.
    public init(shape: [Int], values: [Float]) {
        precondition(elementCount(of: shape) == values.count, "\(values.count) values for shape \(shape)")
        self.shape = shape
        self.values = values
    }

    /// Reads a file of format version 1, 2 or 3 with elements `<f4`, `<f2` (exact) or `<f8` (rounded to float32), in C
    /// or Fortran order.
    /// - Throws: ``CheckpointError`` if it cannot be read, is damaged, or holds anything else; ``OutOfMemoryError``.
    public init(contentsOf url: URL) throws {
        let file = try RegularFile(url)
        let header = try NumPyHeader(of: file)
        shape = header.shape
        let stored = try [Float](count: header.count) { destination in
            guard header.count > 0 else { return }
            guard header.elements != .float32 else {
                return try file.read(from: header.dataStart, into: UnsafeMutableRawBufferPointer(destination))
            }
            try file.bytes(header.dataStart..<file.count).withUnsafeBytes {
                header.elements.convert($0.baseAddress!, to: destination)
            }
        }
        values = try header.isFortranOrder ? Self.rowMajor(stored, shape: header.shape) : stored
    }

    /// Writes a file of format version 1, `<f4`, C order, byte for byte as NumPy does. Appears only when complete.
    /// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
    public func write(to url: URL) throws {
        try Self.write(shape: shape, to: url) { writer in
            try values.withUnsafeBufferPointer { try writer.write($0) }
        }
    }

    /// Writes a file as ``write(to:)`` does of numbers that `body` writes: as many as the shape says.
    package static func write(shape: [Int], to url: URL, _ body: (FileWriter) throws -> Void) throws {
        try AtomicFile.write(to: url) { writer in
            try NumPyHeader.bytes(shape: shape).withUnsafeBytes { try writer.write($0) }
            try body(writer)
        }
    }

    /// Writes whole numbers of a shape, `<i4`; else like ``write(to:)``. Stops the program if `values` are not as many as
    /// `shape` says.
    package static func write(_ values: [Int32], shape: [Int], to url: URL) throws {
        precondition(elementCount(of: shape) == values.count, "\(values.count) values for shape \(shape)")
        try AtomicFile.write(to: url) { writer in
            try NumPyHeader.bytes(shape: shape, elements: "<i4").withUnsafeBytes { try writer.write($0) }
            try values.withUnsafeBytes { try writer.write($0) }
        }
    }

    /// Brings values stored with the first index fastest into row-major order.
    private static func rowMajor(_ stored: [Float], shape: [Int]) throws -> [Float] {
        guard shape.count > 1, !stored.isEmpty else { return stored }
        var strides = [1]
        for dimension in shape.dropLast() { strides.append(strides.last! * dimension) }
        var index = [Int](repeating: 0, count: shape.count)
        var position = 0
        return try [Float](count: stored.count) { buffer in
            for target in 0..<stored.count {
                (buffer.baseAddress! + target).initialize(to: stored[position])
                // Advance the last index; carry into the ones before.
                var axis = shape.count - 1
                while axis >= 0 {
                    index[axis] += 1
                    position += strides[axis]
                    if index[axis] < shape[axis] { break }
                    position -= strides[axis] * shape[axis]
                    index[axis] = 0
                    axis -= 1
                }
            }
        }
    }
}
