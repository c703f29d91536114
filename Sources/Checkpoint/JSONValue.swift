/// A JSON text as a tree, for small files whose grammar is open, such as a model's configuration.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits `Int`.
    case integer(Int)
    /// Any other number; finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// In the order of the text; every key once.
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Texts nested deeper than this are refused, so that hostile ones cannot exhaust the stack.
    package static let maximumDepth = 32

    /// Texts with more values are refused: each takes some dozen bytes, however short it is written.
    package static let maximumValues = 1 << 21

    /// Parses a whole text.
    /// - Throws: ``JSONSyntaxError``.
    package init(_ bytes: UnsafeRawBufferPointer) throws {
        var scanner = JSONScanner(bytes)
        var count = 0
        self = try Self.value(&scanner, depth: 0, count: &count)
        try scanner.expectEnd()
    }

    private static func value(_ scanner: inout JSONScanner, depth: Int, count: inout Int) throws -> JSONValue {
        count += 1
        guard count <= maximumValues else { throw scanner.unexpected("at most \(maximumValues) values") }
        guard depth < maximumDepth else { throw scanner.unexpected("at most \(maximumDepth) levels of nesting") }
        guard let first = scanner.peek() else { throw scanner.unexpected("a value") }
        switch first {
        case UInt8(ascii: "{"):
            var members: [Member] = []
            var keys: Set<String> = []
            try scanner.object { scanner, key in
                guard keys.insert(key).inserted else {
                    throw JSONSyntaxError(
                        offset: scanner.position, expected: "every key once", found: "a second \(quoted(key))")
                }
                members.append(Member(key, try value(&scanner, depth: depth + 1, count: &count)))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.array { elements.append(try value(&$0, depth: depth + 1, count: &count)) }
            return .array(elements)
        case UInt8(ascii: "\""):
            return .string(try scanner.string())
        case UInt8(ascii: "t") where scanner.take(word: "true"):
            return .bool(true)
        case UInt8(ascii: "f") where scanner.take(word: "false"):
            return .bool(false)
        case UInt8(ascii: "n") where scanner.take(word: "null"):
            return .null
        case UInt8(ascii: "-"), 0x30...0x39:
            return try scanner.number()
        default:
            throw scanner.unexpected("a value")
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as JSON: objects over several lines with two spaces of indentation, arrays in one line.
    package var description: String {
        var text = ""
        write(to: &text, indentation: "")
        return text
    }

    /// The value as JSON on one line.
    package var line: String {
        var text = ""
        write(to: &text, indentation: nil)
        return text
    }

    /// - Parameter indentation: `nil` for everything on one line.
    private func write(to text: inout String, indentation: String?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += value.description
        case .number(let value):
            precondition(value.isFinite, "JSON has no infinity and no NaN")
            text += value.description
        case .string(let value): Self.write(value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? "" : ", "
                element.write(to: &text, indentation: indentation)
            }
            text += "]"
        case .object(let members):
            let inner = indentation.map { $0 + "  " }
            text += "{"
            for (index, member) in members.enumerated() {
                text += inner.map { (index == 0 ? "\n" : ",\n") + $0 } ?? (index == 0 ? "" : ", ")
                Self.write(member.key, to: &text)
                text += ": "
                member.value.write(to: &text, indentation: inner)
            }
            text += members.isEmpty ? "}" : (indentation.map { "\n" + $0 } ?? "") + "}"
        }
    }

    /// Appends a string with quotes and what RFC 8259, section 7, wants escaped. DEL, U+2028 and U+2029 are escaped too:
    /// they are valid JSON, but some readers that take a file line by line end a line there.
    package static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
