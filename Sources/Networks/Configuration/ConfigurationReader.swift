import CETNetCheckpoint

/// Reads the keys of one JSON object, naming the key in every error, and at the end the keys that nobody read.
package struct ConfigurationReader {
    /// Where the text comes from, for error messages.
    package let source: String
    /// What precedes a key in error messages, for instance `preprocess.`.
    private let prefix: String
    private let members: [JSONValue.Member]
    private let values: [String: JSONValue]
    private var known: [String] = []

    /// - Parameters:
    ///   - key: of the object, where it is part of another.
    ///   - nullIsAbsent: whether a key whose value is `null` counts as absent.
    package init(
        _ value: JSONValue, source: String, key: String? = nil, nullIsAbsent: Bool = false
    ) throws(ConfigurationError) {
        guard case .object(let all) = value else {
            throw .invalidValue(source: source, key: key ?? "", expected: "an object", found: value.summary)
        }
        let members = nullIsAbsent ? all.filter { $0.value != .null } : all
        self.source = source
        self.members = members
        prefix = key.map { $0 + "." } ?? ""
        values = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
    }

    /// Every key of the object, in the order of the text.
    package var keys: [String] { members.map(\.key) }

    /// The value of a key, or `nil` if it is absent.
    package mutating func value(_ key: String) -> JSONValue? {
        known.append(key)
        return values[key]
    }

    package mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        try scalar(key, "a text") { $0.text }
    }

    package mutating func strings(_ key: String) throws(ConfigurationError) -> [String]? {
        try elements(key, of: "texts") { $0.text }
    }

    package mutating func integer(_ key: String) throws(ConfigurationError) -> Int? {
        try scalar(key, "a whole number") { $0.integer }
    }

    package mutating func integers(_ key: String) throws(ConfigurationError) -> [Int]? {
        try elements(key, of: "whole numbers") { $0.integer }
    }

    package mutating func number(_ key: String) throws(ConfigurationError) -> Double? {
        try scalar(key, "a number") { $0.double }
    }

    package mutating func numbers(_ key: String) throws(ConfigurationError) -> [Float]? {
        try elements(key, of: "numbers") { $0.double.map(Float.init) }
    }

    /// A text that names one of `choices`.
    package mutating func choice<Choice: RawRepresentable<String>>(
        _ key: String, among choices: [Choice]
    ) throws(ConfigurationError) -> Choice? {
        try scalar(key, Self.list(choices)) { $0.choice(among: choices) }
    }

    /// An array of texts that name some of `choices`.
    package mutating func choices<Choice: RawRepresentable<String>>(
        _ key: String, among choices: [Choice]
    ) throws(ConfigurationError) -> [Choice]? {
        try elements(key, of: "texts, each " + Self.list(choices)) { $0.choice(among: choices) }
    }

    /// The object under a key, which is part of what messages call its keys.
    package mutating func object(
        _ key: String, nullIsAbsent: Bool = false
    ) throws(ConfigurationError) -> ConfigurationReader? {
        guard let value = value(key) else { return nil }
        return try ConfigurationReader(value, source: source, key: prefix + key, nullIsAbsent: nullIsAbsent)
    }

    /// The objects of an array; messages call them by their index.
    package mutating func objects(_ key: String) throws(ConfigurationError) -> [ConfigurationReader]? {
        guard let values = try elements(key, of: "objects", { $0 }) else { return nil }
        var objects: [ConfigurationReader] = []
        for (index, value) in values.enumerated() {
            objects.append(try ConfigurationReader(value, source: source, key: "\(prefix)\(key).\(index)"))
        }
        return objects
    }

    /// Labels by their index: an object whose keys are the indices from 0 on.
    package mutating func labels(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .object(let members) = value else {
            throw invalid(key, "an object from index to label", value)
        }
        var labels = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.key), labels.indices.contains(index), String(index) == member.key else {
                throw invalid(key, "keys 0 to \(members.count - 1)", .string(member.key))
            }
            guard case .string(let label) = member.value else {
                throw invalid("\(key).\(index)", "a text", member.value)
            }
            labels[index] = label
        }
        // As many different indices as places: none is empty.
        return labels.compactMap { $0 }
    }

    /// Fails if the object has a key that was not asked for and is not in `ignored`.
    package func refuseUnknownKeys(ignoring ignored: Set<String> = []) throws(ConfigurationError) {
        for member in members where !known.contains(member.key) && !ignored.contains(member.key) {
            throw .unknownKey(
                source: source, key: prefix + member.key,
                nearest: Spelling.nearest(to: member.key, among: known).map { prefix + $0 })
        }
    }

    package func missing(_ key: String) -> ConfigurationError { .missingKey(source: source, key: prefix + key) }

    package func invalid(_ key: String, _ expected: String, _ found: JSONValue) -> ConfigurationError {
        .invalidValue(source: source, key: prefix + key, expected: expected, found: found.summary)
    }

    /// A value of the kind that `convert` takes; `kind` is it in words.
    package mutating func scalar<Value>(
        _ key: String, _ kind: String, _ convert: (JSONValue) -> Value?
    ) throws(ConfigurationError) -> Value? {
        guard let value = value(key) else { return nil }
        guard let converted = convert(value) else { throw invalid(key, kind, value) }
        return converted
    }

    /// An array of values of the kind that `convert` takes; `kind` is it in words.
    package mutating func elements<Element>(
        _ key: String, of kind: String, _ convert: (JSONValue) -> Element?
    ) throws(ConfigurationError) -> [Element]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw invalid(key, "an array of \(kind)", value) }
        var result: [Element] = []
        for element in elements {
            guard let converted = convert(element) else { throw invalid(key, "an array of \(kind)", element) }
            result.append(converted)
        }
        return result
    }

    /// The names that are allowed, for a message.
    static func list<Choice: RawRepresentable<String>>(_ choices: [Choice]) -> String {
        "one of " + choices.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }
}

extension JSONValue {
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
    fileprivate var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

    fileprivate var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    fileprivate func choice<Choice: RawRepresentable<String>>(among choices: [Choice]) -> Choice? {
        choices.first { self == .string($0.rawValue) }
    }

    /// The value in a few words, for an error message.
    fileprivate var summary: String {
        switch self {
        case .array(let elements): "an array of \(elements.count)"
        case .object(let members): "an object of \(members.count) keys"
        case .string(let text): quoted(text)
        case .null, .bool, .integer, .number: description
        }
    }
}
