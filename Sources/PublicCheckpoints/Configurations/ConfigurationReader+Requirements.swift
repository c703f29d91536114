import CETNetCheckpoint
import CETNetNetworks

extension ConfigurationReader {
    /// Refuses, by name, a key with another value than the one that is built here. Absent is fine: it is the default.
    mutating func require(_ key: String, _ expected: JSONValue) throws(ConfigurationError) {
        guard let found = value(key), !found.isEqual(to: expected) else { return }
        throw invalid(key, expected.description, found)
    }

    /// A whole number that may be written as one with a fraction of zero.
    mutating func wholeNumber(_ key: String) throws(ConfigurationError) -> Int? {
        try scalar(key, "a whole number") { $0.wholeNumber }
    }

    /// Whole numbers that may be written as ones with a fraction of zero.
    mutating func wholeNumbers(_ key: String) throws(ConfigurationError) -> [Int]? {
        try elements(key, of: "whole numbers") { $0.wholeNumber }
    }

    /// A truth value.
    mutating func flag(_ key: String) throws(ConfigurationError) -> Bool? {
        try scalar(key, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
    }

    /// Three numbers, or one for all three channels.
    mutating func channels(_ key: String) throws(ConfigurationError) -> [Float]? {
        if case .array = value(key) { return try numbers(key) }
        return try number(key).map { [Float](repeating: Float($0), count: 3) }
    }
}

extension JSONValue {
    /// The number, if it is whole, however it is written.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// Equality that takes 4 and 4.0 for the same.
    fileprivate func isEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.array(let a), .array(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { $0.isEqual(to: $1) }
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)):
            return Double(a) == b
        default:
            return self == other
        }
    }
}
