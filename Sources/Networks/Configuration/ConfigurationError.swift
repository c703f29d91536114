import Foundation

/// What can be wrong with a model's configuration. Every case names where it comes from and the key.
public enum ConfigurationError: Error, Sendable, Equatable {
    /// Not the JSON text that it should be. `offset` counts bytes from its start.
    case malformed(source: String, offset: Int, expected: String, found: String)
    /// A key without default is absent.
    case missingKey(source: String, key: String)
    /// A key that means nothing; `nearest` is the known one that it may have been meant to be.
    case unknownKey(source: String, key: String, nearest: String?)
    /// A value of the wrong type, out of range, or at odds with another.
    case invalidValue(source: String, key: String, expected: String, found: String)
    /// A variant that is not in the table.
    case unknownVariant(source: String?, name: String, known: [String])
}

extension ConfigurationError: CustomStringConvertible, LocalizedError {
    public var errorDescription: String? { description }

    public var description: String {
        switch self {
        case .malformed(let source, let offset, let expected, let found):
            "\(source): at byte \(offset): expected \(expected), found \(found)"
        case .missingKey(let source, let key):
            "\(source): \"\(key)\" is missing, and no \"variant\" gives it"
        case .unknownKey(let source, let key, let nearest):
            "\(source): unknown key \"\(key)\"" + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
        case .invalidValue(let source, let key, let expected, let found):
            "\(source): \"\(key)\": expected \(expected), found \(found)"
        case .unknownVariant(let source, let name, let known):
            (source.map { $0 + ": " } ?? "")
                + "unknown variant \"\(name)\"; known are \(known.joined(separator: ", "))"
        }
    }
}
