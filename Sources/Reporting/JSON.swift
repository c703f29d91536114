/// A JSON value whose objects keep their keys in the order given.
package enum JSON {
    case null
    case string(String)
    case integer(Int)
    /// Must be finite; the shortest digits that give the same float32 back.
    case number(Float)
    /// Must be finite; the shortest digits that give the same double back, a whole number without a point.
    case double(Double)
    case array([JSON])
    case object([(key: String, value: JSON)])

    /// On one line.
    package var text: String {
        var output = ""
        write(to: &output)
        return output
    }

    private func write(to output: inout String) {
        switch self {
        case .null:
            output += "null"
        case .string(let string):
            Self.write(string, to: &output)
        case .integer(let integer):
            output += String(integer)
        case .number(let number):
            precondition(number.isFinite, "JSON has no \(number)")
            output += number.description
        case .double(let number):
            precondition(number.isFinite, "JSON has no \(number)")
            output += Int(exactly: number).map(String.init) ?? number.description
        case .array(let elements):
            output += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { output += ", " }
                element.write(to: &output)
            }
            output += "]"
        case .object(let members):
            output += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { output += ", " }
                Self.write(member.key, to: &output)
                output += ": "
                member.value.write(to: &output)
            }
            output += "}"
        }
    }

    /// Writes a string with what RFC 8259, section 7, wants escaped. U+2028 and U+2029 are escaped too: they are valid
    /// JSON, but some readers that take a file line by line end a line there.
    private static func write(_ string: String, to output: inout String) {
        output += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{0}"..."\u{1f}", "\u{7f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}

extension JSON {
    /// A measured number: four digits behind the point say more than any clock does.
    package static func rounded(_ value: Double) -> JSON { .double((value * 10_000).rounded() / 10_000) }
}
