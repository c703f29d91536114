/// Where a text stopped being the JSON that was expected.
package struct JSONSyntaxError: Error, Equatable {
    /// Bytes from the start of the text.
    package var offset: Int
    package var expected: String
    package var found: String

    package init(offset: Int, expected: String, found: String) {
        self.offset = offset
        self.expected = expected
        self.found = found
    }
}

/// Reads JSON (RFC 8259) token by token, so that a caller who knows the grammar of its file needs no tree.
///
/// Strict: UTF-8 only, no lone surrogates, no control characters in strings, no leading zeros, nothing beyond the
/// standard. It never recurses by itself and copies nothing but the strings that it returns.
package struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// Offset of the next byte.
    package private(set) var position = 0

    /// The bytes must outlive the scanner.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes.bindMemory(to: UInt8.self)
    }

    /// The next byte that is not white space, or `nil` at the end. Does not consume it.
    package mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// Consumes the next byte, after white space, if it is `character`.
    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Consumes `character` or fails.
    package mutating func expect(_ character: Unicode.Scalar) throws(JSONSyntaxError) {
        guard take(character) else { throw unexpected("'\(character)'") }
    }

    /// Fails unless only white space is left.
    package mutating func expectEnd() throws(JSONSyntaxError) {
        guard peek() == nil else { throw unexpected("the end of the text") }
    }

    /// Reads an object. `member` is called after each key and has to read its value.
    package mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while take(",")
        guard take("}") else { throw unexpected("',' or '}'") }
    }

    /// Reads an array. `element` is called before each element and has to read it.
    package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try expect("[")
        if take("]") { return }
        repeat { try element(&self) } while take(",")
        guard take("]") else { throw unexpected("',' or ']'") }
    }

    /// Reads a string.
    package mutating func string() throws(JSONSyntaxError) -> String {
        guard take("\"") else { throw unexpected("a string") }
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                defer { position += 1 }
                return try text(UnsafeBufferPointer(rebasing: bytes[start..<position]), at: start)
            case UInt8(ascii: "\\"):
                return try escapedString(from: start)
            case 0..<0x20:
                throw unexpected("no control character in a string")
            default:
                position += 1
            }
        }
        throw unexpected("'\"'")
    }

    /// Reads a whole number that fits `Int` and is not negative.
    package mutating func nonNegativeInteger() throws(JSONSyntaxError) -> Int {
        guard let first = peek(), isDigit(first) else { throw unexpected("a non-negative integer") }
        let start = position
        let token = numberToken()
        guard token.allSatisfy(isDigit), first != UInt8(ascii: "0") || token.count == 1,
            let value = Int(String(decoding: token, as: UTF8.self))
        else {
            throw JSONSyntaxError(
                offset: start, expected: "a non-negative integer below 2^63",
                found: quoted(String(decoding: token, as: UTF8.self)))
        }
        return value
    }

    /// Reads a number: as an integer if it is written as one and fits `Int`, else as a finite floating point number.
    package mutating func number() throws(JSONSyntaxError) -> JSONValue {
        guard let first = peek(), first == UInt8(ascii: "-") || isDigit(first) else { throw unexpected("a number") }
        let start = position
        let token = numberToken()
        let text = String(decoding: token, as: UTF8.self)
        guard isNumber(token) else {
            throw JSONSyntaxError(offset: start, expected: "a number", found: quoted(text))
        }
        if let integer = Int(text) { return .integer(integer) }
        guard let value = Double(text), value.isFinite else {
            throw JSONSyntaxError(offset: start, expected: "a finite number", found: quoted(text))
        }
        return .number(value)
    }

    /// Consumes `word` if it is next.
    package mutating func take(word: StaticString) -> Bool {
        _ = peek()
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count else { return false }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] { return false }
        position += length
        return true
    }

    /// The error that something else than `expected` is next.
    package func unexpected(_ expected: String) -> JSONSyntaxError {
        let found: String
        if position >= bytes.count {
            found = "the end of the text"
        } else if bytes[position] < 0x20 || bytes[position] >= 0x7F {
            found = "byte 0x" + String(bytes[position], radix: 16, uppercase: true)
        } else {
            found = "'\(Unicode.Scalar(bytes[position]))'"
        }
        return JSONSyntaxError(offset: position, expected: expected, found: found)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Consumes everything that can be part of a number, checked or not.
    private mutating func numberToken() -> UnsafeBufferPointer<UInt8> {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                position += 1
            default:
                return UnsafeBufferPointer(rebasing: bytes[start..<position])
            }
        }
        return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    /// Whether a token is `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    private func isNumber(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        func next() -> UInt8? { index < token.count ? token[index] : nil }
        func digits() -> Int {
            let start = index
            while let byte = next(), isDigit(byte) { index += 1 }
            return index - start
        }
        if next() == UInt8(ascii: "-") { index += 1 }
        let leadingZero = next() == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !leadingZero) else { return false }
        if next() == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { return false }
        }
        if next() == UInt8(ascii: "e") || next() == UInt8(ascii: "E") {
            index += 1
            if next() == UInt8(ascii: "+") || next() == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { return false }
        }
        return index == token.count
    }

    /// Bytes of a file as text, refusing what is not UTF-8.
    private func text(_ slice: UnsafeBufferPointer<UInt8>, at offset: Int) throws(JSONSyntaxError) -> String {
        // Decoding repairs what is malformed, which changes the bytes.
        let text = String(decoding: slice, as: UTF8.self)
        guard text.utf8.elementsEqual(slice) else {
            throw JSONSyntaxError(offset: offset, expected: "valid UTF-8", found: quoted(text))
        }
        return text
    }

    /// Reads the rest of a string that has escapes; `start` is its first byte.
    private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
        var result = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try result.withUnsafeBufferPointer { slice throws(JSONSyntaxError) in
                    try text(slice, at: start)
                }
            case UInt8(ascii: "\\"):
                position += 1
                try result.append(contentsOf: UTF8.encode(escape()).unsafelyUnwrapped)
            case 0..<0x20:
                throw unexpected("no control character in a string")
            default:
                result.append(byte)
                position += 1
            }
        }
        throw unexpected("'\"'")
    }

    /// Reads what follows a backslash.
    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        guard position < bytes.count else { throw unexpected("an escape") }
        let scalar: Unicode.Scalar
        switch bytes[position] {
        case UInt8(ascii: "\""): scalar = "\""
        case UInt8(ascii: "\\"): scalar = "\\"
        case UInt8(ascii: "/"): scalar = "/"
        case UInt8(ascii: "b"): scalar = "\u{8}"
        case UInt8(ascii: "f"): scalar = "\u{C}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw unexpected("an escape: one of \"\\/bfnrtu")
        }
        position += 1
        return scalar
    }

    /// Reads `uXXXX`, and a second `\uXXXX` where the first is half of a surrogate pair.
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = position
        let first = try hexadecimalDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, position < bytes.count, bytes[position] == UInt8(ascii: "\\") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "u") {
                let second = try hexadecimalDigits()
                if second >= 0xDC00, second < 0xE000,
                    let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
                {
                    return scalar
                }
            }
        }
        throw JSONSyntaxError(offset: start, expected: "a pair of surrogates", found: "half of one")
    }

    /// Reads `u` and four hexadecimal digits.
    private mutating func hexadecimalDigits() throws(JSONSyntaxError) -> UInt32 {
        position += 1
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
