import Foundation

/// Writes tensors as a `.safetensors` file, float32 unless they say otherwise.
///
/// The same tensors in the same order give the same bytes. Tensors are stored in the order given, metadata by key. The
/// header is padded with spaces so that the data begins at a multiple of eight bytes. The file appears under its name
/// only when it is complete.
public enum SafetensorsWriter {
    /// Writes tensors that are in memory.
    /// - Throws: ``CheckpointError/malformedTensor(file:tensor:expected:found:)`` for a name given twice, a name the
    ///   format reserves, or values that do not match a shape; ``CheckpointError/cannotWrite(file:cause:)``.
    public static func write(
        _ tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String] = [:], to url: URL
    ) throws {
        for (name, shape, values) in tensors where elementCount(of: shape) != values.count {
            throw CheckpointError.malformedTensor(
                file: url.path, tensor: name, expected: "values for shape \(shape)", found: "\(values.count) values")
        }
        try write(tensors.map { ($0.name, $0.shape, .f32) }, metadata: metadata, to: url) { index, body in
            try tensors[index].values.withUnsafeBytes(body)
        }
    }

    /// Writes the named tensors of a source, holding one at a time in memory.
    /// - Throws: as above, and what the source throws.
    public static func write(
        _ names: [String], of source: some TensorSource, metadata: [String: String] = [:], to url: URL
    ) throws {
        let shapes = try names.map { name -> (String, [Int], ElementType) in
            guard let shape = source.shape(of: name) else {
                throw CheckpointError.missingTensor(file: source.sourceName, tensor: name)
            }
            return (name, shape, .f32)
        }
        try write(shapes, metadata: metadata, to: url) { index, body in
            try source.withValues(of: names[index]) { try body(UnsafeRawBufferPointer($0)) }
        }
    }

    /// Writes tensors of any type.
    /// - Parameter bytes: hands the bytes of the tensor at an index, little-endian, to the closure that it is given.
    package static func write(
        _ tensors: [(name: String, shape: [Int], elementType: ElementType)], metadata: [String: String], to url: URL,
        bytes: (Int, (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let header = try header(tensors, metadata: metadata, file: url.path)
        try AtomicFile.write(to: url) { writer in
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try writer.write($0) }
            try header.withUnsafeBytes { try writer.write($0) }
            for index in tensors.indices { try bytes(index) { try writer.write($0) } }
        }
    }

    /// The JSON object, padded so that 8 + its length is a multiple of eight.
    private static func header(
        _ tensors: [(name: String, shape: [Int], elementType: ElementType)], metadata: [String: String], file: String
    ) throws -> [UInt8] {
        var text = "{"
        if !metadata.isEmpty {
            text += "\"__metadata__\":{"
            for (index, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
                text += index == 0 ? "" : ","
                JSONValue.write(key, to: &text)
                text += ":"
                JSONValue.write(value, to: &text)
            }
            text += "}"
        }
        var names: Set<String> = ["__metadata__"]
        var end = 0
        for (name, shape, elementType) in tensors {
            func malformed(_ expected: String, _ found: String) -> CheckpointError {
                .malformedTensor(file: file, tensor: name, expected: expected, found: found)
            }
            guard names.insert(name).inserted else { throw malformed("a name of its own", "a name in use") }
            let begin = end
            guard shape.count <= SafetensorsHeader.Limit.dimensions, let count = elementCount(of: shape),
                let byteCount = elementType.byteCount(of: count),
                case (let sum, false) = begin.addingReportingOverflow(byteCount)
            else { throw malformed("a shape whose size fits a file", "shape \(shape)") }
            end = sum
            text += text.utf8.count == 1 ? "" : ","
            JSONValue.write(name, to: &text)
            let dimensions = shape.map(String.init).joined(separator: ",")
            text +=
                ":{\"dtype\":\"\(elementType.rawValue)\",\"shape\":[\(dimensions)],\"data_offsets\":[\(begin),\(end)]}"
        }
        text += "}"
        var bytes = Array(text.utf8)
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8)
        guard bytes.count <= SafetensorsHeader.Limit.headerBytes else {
            throw CheckpointError.malformed(
                file: file, offset: 0, expected: "a header of at most \(SafetensorsHeader.Limit.headerBytes) bytes",
                found: "\(bytes.count) bytes")
        }
        return bytes
    }
}
