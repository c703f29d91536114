/// What a safetensors file says about itself, checked to the last byte.
///
/// The format (github.com/huggingface/safetensors): a little-endian 64-bit length, a JSON object of that length, then
/// the tensors' bytes. The object maps each tensor's name to `dtype`, `shape` and `data_offsets` (the first byte and
/// the one after the last, counted from the end of the object), and optionally `__metadata__` to texts. Tensors cover
/// the rest of the file without holes or overlaps.
struct SafetensorsHeader {
    /// Bounds on what a header may ask this process to keep, far above any real model's.
    enum Limit {
        /// Bytes of the JSON object; the reference implementation's limit.
        static let headerBytes = 100_000_000
        static let tensors = 1 << 17
        static let metadataEntries = 1 << 16
        static let dimensions = 64
    }

    private(set) var metadata: [String: String] = [:]
    /// In the order of their bytes.
    private(set) var tensors: [TensorInfo] = []
    /// What error messages call the file.
    private let file: String

    /// Reads the header of a whole file.
    /// - Throws: what reading throws, ``CheckpointError/malformed(file:offset:expected:found:)``,
    ///   ``CheckpointError/malformedTensor(file:tensor:expected:found:)``, and for what is no such file or only a part
    ///   of one ``CheckpointError/notSafetensors(file:found:advice:)`` or
    ///   ``CheckpointError/truncated(file:expectedBytes:foundBytes:)``.
    init(of file: RegularFile) throws {
        self.file = file.path
        let start = try file.bytes(0..<min(file.count, OtherFormat.prefixLength))
        if let other = start.withUnsafeBytes(OtherFormat.recognize) {
            throw CheckpointError.notSafetensors(file: file.path, found: other.found, advice: other.advice)
        }
        guard file.count >= 8 else {
            throw malformed(0, "8 bytes of header length", "\(file.count) bytes")
        }
        let length = start.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= Limit.headerBytes else {
            throw malformed(0, "a header of at most \(Limit.headerBytes) bytes", "a header length of \(length)")
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= file.count else {
            if start.count > 9, start[8] == UInt8(ascii: "{"), start[9] == UInt8(ascii: "\"") {
                throw CheckpointError.truncated(file: file.path, expectedBytes: dataStart, foundBytes: file.count)
            }
            throw malformed(0, "a header within the file's \(file.count) bytes", "a header length of \(length)")
        }
        let text = try file.bytes(8..<dataStart)
        guard text.first == UInt8(ascii: "{") else {
            throw malformed(8, "'{'", text.first.map { "byte 0x" + String($0, radix: 16) } ?? "an empty header")
        }
        do {
            try text.withUnsafeBytes { try parse($0, dataStart: dataStart, fileSize: file.count) }
        } catch let error as JSONSyntaxError {
            throw malformed(8 + error.offset, error.expected, error.found)
        }
        if let end = tensors.map(\.byteRange.upperBound).max(), end > file.count {
            throw CheckpointError.truncated(file: file.path, expectedBytes: end, foundBytes: file.count)
        }
        try checkLayout(dataStart: dataStart, fileSize: file.count)
    }

    private mutating func parse(_ text: UnsafeRawBufferPointer, dataStart: Int, fileSize: Int) throws {
        var scanner = JSONScanner(text)
        var names: Set<String> = []
        try scanner.object { scanner, name in
            guard names.insert(name).inserted else {
                throw malformedTensor(name, "every name once", "a second entry")
            }
            if name == "__metadata__" {
                try parseMetadata(&scanner)
            } else {
                guard tensors.count < Limit.tensors else {
                    throw malformed(8 + scanner.position, "at most \(Limit.tensors) tensors", "more")
                }
                tensors.append(
                    try parseTensor(&scanner, name: name, dataStart: dataStart, dataCount: fileSize - dataStart))
            }
        }
        try scanner.expectEnd()
    }

    private mutating func parseMetadata(_ scanner: inout JSONScanner) throws {
        try scanner.object { scanner, key in
            guard metadata.count < Limit.metadataEntries else {
                throw scanner.unexpected("at most \(Limit.metadataEntries) entries of metadata")
            }
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
                throw scanner.unexpected("metadata key \(quoted(key)) once")
            }
        }
    }

    /// Reads `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`, keys in any order.
    private func parseTensor(
        _ scanner: inout JSONScanner, name: String, dataStart: Int, dataCount: Int
    ) throws -> TensorInfo {
        var elementType: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { scanner, key in
            let isRepeated: Bool
            switch key {
            case "dtype":
                isRepeated = elementType != nil
                let text = try scanner.string()
                elementType = ElementType(rawValue: text)
                if elementType == nil {
                    throw malformedTensor(
                        name, "dtype one of " + ElementType.allCases.map(\.rawValue).joined(separator: ", "),
                        quoted(text))
                }
            case "shape":
                isRepeated = shape != nil
                shape = try integers(&scanner, atMost: Limit.dimensions, name: name, key: key)
            case "data_offsets":
                isRepeated = offsets != nil
                offsets = try integers(&scanner, atMost: 2, name: name, key: key)
            default:
                throw malformedTensor(name, "keys dtype, shape and data_offsets", "key \(quoted(key))")
            }
            if isRepeated { throw malformedTensor(name, "key \(key) once", "a second one") }
        }
        guard let elementType else { throw malformedTensor(name, "key dtype", "none") }
        guard let shape else { throw malformedTensor(name, "key shape", "none") }
        guard let offsets else { throw malformedTensor(name, "key data_offsets", "none") }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= Int.max / 2 else {
            throw malformedTensor(
                name, "data_offsets [begin, end] with begin <= end <= \(dataCount)", "data_offsets \(offsets)")
        }
        guard let count = elementCount(of: shape), let byteCount = elementType.byteCount(of: count) else {
            throw malformedTensor(name, "a size in whole bytes below 2^63", "\(elementType.rawValue) of shape \(shape)")
        }
        guard offsets[1] - offsets[0] == byteCount else {
            throw malformedTensor(
                name, "\(byteCount) bytes for \(elementType.rawValue) of shape \(shape)",
                "\(offsets[1] - offsets[0]) bytes")
        }
        return TensorInfo(
            name: name, elementType: elementType, shape: shape,
            byteRange: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    private func integers(
        _ scanner: inout JSONScanner, atMost limit: Int, name: String, key: String
    ) throws -> [Int] {
        var values: [Int] = []
        try scanner.array { scanner in
            guard values.count < limit else {
                throw malformedTensor(name, "at most \(limit) numbers in \(key)", "more")
            }
            values.append(try scanner.nonNegativeInteger())
        }
        return values
    }

    /// Puts the tensors in the order of their bytes and checks that these cover the data exactly.
    private mutating func checkLayout(dataStart: Int, fileSize: Int) throws {
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        var end = dataStart
        for tensor in tensors {
            guard tensor.byteRange.lowerBound == end else {
                throw malformedTensor(
                    tensor.name, "data that begins at \(end - dataStart), where the tensor before it ends",
                    (tensor.byteRange.lowerBound < end ? "an overlap: " : "a hole: ")
                        + "\(tensor.byteRange.lowerBound - dataStart)")
            }
            end = tensor.byteRange.upperBound
        }
        guard end == fileSize else {
            throw malformed(end, "the end of the file, where the last tensor ends", "\(fileSize - end) more bytes")
        }
    }

    private func malformed(_ offset: Int, _ expected: String, _ found: String) -> CheckpointError {
        .malformed(file: file, offset: offset, expected: expected, found: found)
    }

    private func malformedTensor(_ name: String, _ expected: String, _ found: String) -> CheckpointError {
        .malformedTensor(file: file, tensor: name, expected: expected, found: found)
    }
}
