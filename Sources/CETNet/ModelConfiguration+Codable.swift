import CETNetCheckpoint
import CETNetNetworks
import Foundation

/// In every format as the object that a `config.json` is.
extension ModelConfiguration: Codable {
    /// Reads the keys of a `config.json`.
    /// - Throws: ``ConfigurationError``.
    public init(from decoder: any Decoder) throws {
        let path = decoder.codingPath.map(\.stringValue).joined(separator: ".")
        try self.init(json: JSONValue(from: decoder), source: path.isEmpty ? "configuration" : path)
    }

    /// Writes the keys of a `config.json`.
    public func encode(to encoder: any Encoder) throws {
        try Self.parse(json: json(), source: "configuration").encode(to: encoder)
    }
}

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        self =
            if value.decodeNil() {
                .null
            } else if let bool = try? value.decode(Bool.self) {
                .bool(bool)
            } else if let integer = try? value.decode(Int.self) {
                .integer(integer)
            } else if let number = try? value.decode(Double.self) {
                .number(number)
            } else if let text = try? value.decode(String.self) {
                .string(text)
            } else if let elements = try? value.decode([JSONValue].self) {
                .array(elements)
            } else {
                .object(try value.decode([String: JSONValue].self).map { Member($0, $1) })
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .string(let text): try value.encode(text)
        case .array(let elements): try value.encode(elements)
        case .object(let members):
            try value.encode(Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) }))
        }
    }
}
