/// The head of a `.npy` file: magic, version, and a Python dictionary with element type, order and shape.
///
/// Described in NumPy's `numpy.lib.format`.
struct NumPyHeader {
    /// How the elements are stored.
    enum Elements: String, CaseIterable {
        case float16 = "<f2"
        case float32 = "<f4"
        case float64 = "<f8"

        var byteCount: Int {
            switch self {
            case .float16: 2
            case .float32: 4
            case .float64: 8
            }
        }

        /// Converts `destination.count` elements, at any alignment.
        func convert(_ source: UnsafeRawPointer, to destination: UnsafeMutableBufferPointer<Float>) {
            switch self {
            case .float16:
                HalfPrecision.convert(binary16: source, to: destination)
            case .float32:
                UnsafeMutableRawBufferPointer(destination).copyMemory(
                    from: UnsafeRawBufferPointer(start: source, count: 4 * destination.count))
            case .float64:
                for index in destination.indices {
                    let bits = source.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self)
                    destination[index] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
                }
            }
        }
    }

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// NumPy itself trusts no longer one.
    private static let maximumLength = 10_000
    private static let maximumDimensions = 64

    let elements: Elements
    let isFortranOrder: Bool
    let shape: [Int]
    /// The number of elements.
    let count: Int
    /// Where the elements begin.
    let dataStart: Int

    /// Reads the head of a file and checks that the rest is exactly its elements.
    init(of file: RegularFile) throws {
        let head = try file.bytes(0..<min(file.count, 12 + Self.maximumLength))
        try self.init(head, byteCount: file.count, file: file.path)
    }

    /// - Parameters:
    ///   - bytes: of the file, from its start, as many as a head can have.
    ///   - byteCount: of the whole file.
    private init(_ bytes: [UInt8], byteCount fileSize: Int, file: String) throws {
        func malformed(_ offset: Int, _ expected: String, _ found: String) -> CheckpointError {
            .malformed(file: file, offset: offset, expected: expected, found: found)
        }
        guard bytes.count >= 10, bytes.prefix(6).elementsEqual(Self.magic) else {
            throw malformed(0, "a NumPy array (.npy)", bytes.count < 10 ? "\(bytes.count) bytes" : "something else")
        }
        let version = (bytes[6], bytes[7])
        let lengthSize: Int
        switch version {
        case (1, 0): lengthSize = 2
        case (2, 0), (3, 0): lengthSize = 4
        default: throw malformed(6, "format version 1.0, 2.0 or 3.0", "\(version.0).\(version.1)")
        }
        let textStart = 8 + lengthSize
        guard bytes.count >= textStart else { throw malformed(8, "a header length", "the end of the file") }
        let length = bytes[8..<textStart].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.maximumLength, textStart + length <= fileSize else {
            throw malformed(
                8, "a header of at most \(min(Self.maximumLength, fileSize - textStart)) bytes", "\(length) bytes")
        }
        dataStart = textStart + length

        var dictionary = PythonDictionaryScanner(bytes[textStart..<dataStart], file: file)
        try dictionary.scan(maximumDimensions: Self.maximumDimensions)
        guard let description = dictionary.elementDescription, let order = dictionary.isFortranOrder,
            let shape = dictionary.shape
        else { throw malformed(textStart, "keys 'descr', 'fortran_order' and 'shape'", "fewer") }
        guard let elements = Elements(rawValue: description) else {
            throw malformed(textStart, "elements '<f4', '<f2' or '<f8'", quoted(description))
        }
        guard let count = elementCount(of: shape),
            case (let byteCount, false) = count.multipliedReportingOverflow(by: elements.byteCount)
        else { throw malformed(textStart, "a size below 2^63 bytes", "shape \(shape)") }
        guard byteCount == fileSize - dataStart else {
            throw malformed(
                dataStart, "\(byteCount) bytes for '\(description)' of shape \(shape)",
                "\(fileSize - dataStart) bytes")
        }
        self.elements = elements
        isFortranOrder = order
        self.shape = shape
        self.count = count
    }

    /// The head of a float32 array in C order: version 1.0, padded with at least one space to a multiple of 64 bytes.
    static func bytes(shape: [Int], elements: String = "<f4") -> [UInt8] {
        let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(elements)', 'fortran_order': False, 'shape': (\(dimensions)), }"
        // NumPy leaves room for the first axis to grow, so that files can be appended to.
        if let first = shape.first { text += String(repeating: " ", count: 21 - String(first).count) }
        text += String(repeating: " ", count: 64 - (11 + text.utf8.count) % 64) + "\n"
        let length = UInt16(text.utf8.count)
        return magic + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)] + text.utf8
    }
}

/// Reads the one Python expression that a `.npy` head may be:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }`, keys in any order.
private struct PythonDictionaryScanner {
    private let bytes: ArraySlice<UInt8>
    private let file: String
    private var position: Int

    private(set) var elementDescription: String?
    private(set) var isFortranOrder: Bool?
    private(set) var shape: [Int]?

    init(_ bytes: ArraySlice<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        position = bytes.startIndex
    }

    mutating func scan(maximumDimensions: Int) throws {
        try expect("{")
        while !take("}") {
            let start = position
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where elementDescription == nil: elementDescription = try string()
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try boolean()
            case "shape" where shape == nil: shape = try tuple(maximumDimensions: maximumDimensions)
            default:
                throw CheckpointError.malformed(
                    file: file, offset: start, expected: "keys 'descr', 'fortran_order' and 'shape', each once",
                    found: quoted(key))
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard position == bytes.endIndex else { throw unexpected("the end of the header") }
    }

    private mutating func skipSpace() {
        while position < bytes.endIndex, bytes[position] == 0x20 || bytes[position] == 0x0A { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw unexpected("'\(character)'") }
    }

    /// A text in single or double quotes, without escapes.
    private mutating func string() throws -> String {
        let quote: Unicode.Scalar = take("'") ? "'" : "\""
        if quote == "\"" { try expect(quote) }
        let start = position
        while position < bytes.endIndex, bytes[position] != UInt8(ascii: quote) { position += 1 }
        guard position < bytes.endIndex else { throw unexpected("\(quote)") }
        defer { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func boolean() throws -> Bool {
        skipSpace()
        for (word, value) in [("True", true), ("False", false)] where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw unexpected("True or False")
    }

    /// `()`, `(3,)`, `(3, 4)` or `(3, 4,)`.
    private mutating func tuple(maximumDimensions: Int) throws -> [Int] {
        try expect("(")
        var dimensions: [Int] = []
        while !take(")") {
            guard dimensions.count < maximumDimensions else {
                throw unexpected("at most \(maximumDimensions) dimensions")
            }
            dimensions.append(try integer())
            if !take(",") {
                guard dimensions.count > 1 else { throw unexpected("','") }
                try expect(")")
                break
            }
        }
        return dimensions
    }

    private mutating func integer() throws -> Int {
        skipSpace()
        let digits = bytes[position...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
            throw unexpected("a non-negative integer below 2^63")
        }
        position = digits.endIndex
        return value
    }

    private func unexpected(_ expected: String) -> CheckpointError {
        let found = position < bytes.endIndex ? quoted(String(UnicodeScalar(bytes[position]))) : "the end of the header"
        return .malformed(file: file, offset: position, expected: expected, found: found)
    }
}
