import CETNetCheckpoint

/// A key of a configuration: reading, writing and checking follow the same table of these.
struct ConfigurationKey<Root>: Sendable {
    typealias Path<Value> = any WritableKeyPath<Root, Value> & Sendable
    /// What a value has to be, and what it is instead.
    typealias Problem = (expected: String, found: String)

    let name: String
    /// Sets the value to what a file says; leaves it where the file says nothing.
    let read: @Sendable (inout ConfigurationReader, inout Root) throws(ConfigurationError) -> Void
    /// What a file says of the value; `nil` where it is silent.
    let write: @Sendable (Root) -> JSONValue?
    /// What is wrong with the value by itself, if anything.
    let problem: @Sendable (Root) -> Problem?
}

extension ConfigurationKey {
    /// A key of one property.
    init<Value>(
        _ name: String, _ path: Path<Value>,
        read: @escaping @Sendable (inout ConfigurationReader) throws(ConfigurationError) -> Value?,
        write: @escaping @Sendable (Value) -> JSONValue?,
        problem: @escaping @Sendable (Value, Root) -> Problem? = { _, _ in nil }
    ) {
        self.init(
            name: name,
            read: { reader, root throws(ConfigurationError) in
                if let value = try read(&reader) { root[keyPath: path] = value }
            },
            write: { write($0[keyPath: path]) }, problem: { problem($0[keyPath: path], $0) })
    }

    /// A whole number.
    /// - Parameter isOdd: whether even numbers are refused.
    static func number(_ name: String, _ path: Path<Int>, in range: ClosedRange<Int>, isOdd: Bool = false) -> Self {
        Self(
            name, path, read: { reader throws(ConfigurationError) in try reader.integer(name) },
            write: { .integer($0) },
            problem: { value, _ in
                guard !range.contains(value) || isOdd && value % 2 == 0 else { return nil }
                return ("\(isOdd ? "an odd" : "a") number from \(range.lowerBound) to \(range.upperBound)", "\(value)")
            })
    }

    /// Numbers with fractions, one for each colour.
    static func channels(
        _ name: String, _ path: Path<[Float]>, kind: String, where isAllowed: @escaping @Sendable (Float) -> Bool
    ) -> Self {
        Self(
            name, path, read: { reader throws(ConfigurationError) in try reader.numbers(name) },
            write: { .array($0.map(JSONValue.shortest)) },
            problem: { values, _ in
                values.count == 3 && values.allSatisfy(isAllowed) ? nil : ("3 \(kind) numbers", "\(values)")
            })
    }

    /// One of a few names.
    /// - Parameter silent: the value that a file does not mention.
    static func choice<Choice: RawRepresentable<String> & Equatable & Sendable>(
        _ name: String, _ path: Path<Choice>, among choices: [Choice], silent: Choice? = nil
    ) -> Self {
        Self(
            name, path, read: { reader throws(ConfigurationError) in try reader.choice(name, among: choices) },
            write: { $0 == silent ? nil : .string($0.rawValue) },
            problem: { value, _ in
                choices.contains(value) ? nil : (ConfigurationReader.list(choices), quoted(value.rawValue))
            })
    }
}

extension ConfigurationKey<ModelConfiguration> {
    /// Whole numbers.
    /// - Parameter count: how many; `nil` for one per stage.
    static func numbers(
        _ name: String, _ path: Path<[Int]>, in range: ClosedRange<Int>, count: Int? = nil
    ) -> Self {
        Self(
            name, path, read: { reader throws(ConfigurationError) in try reader.integers(name) },
            write: { .array($0.map { .integer($0) }) },
            problem: { values, configuration in
                if let problem = countProblem(values.count, count, configuration.block) { return problem }
                guard !values.allSatisfy(range.contains) else { return nil }
                return ("numbers from \(range.lowerBound) to \(range.upperBound)", "\(values)")
            })
    }

    /// Some of a few names, one per stage.
    static func choices<Choice: RawRepresentable<String> & Sendable>(
        _ name: String, _ path: Path<[Choice]>, among choices: [Choice]
    ) -> Self {
        Self(
            name, path, read: { reader throws(ConfigurationError) in try reader.choices(name, among: choices) },
            write: { .array($0.map { .string($0.rawValue) }) },
            problem: { values, configuration in countProblem(values.count, nil, configuration.block) })
    }

    private static func countProblem(_ found: Int, _ count: Int?, _ block: ModelConfiguration.Block) -> Problem? {
        guard found != count ?? block.stageCount else { return nil }
        let expected =
            count.map { "\($0) entries" }
            ?? "\(block.stageCount) entries, one per stage of block \(quoted(block.rawValue))"
        return (expected, "\(found) entries")
    }
}

extension Sequence {
    /// Throws the first problem of a configuration that the keys find.
    /// - Parameter prefix: what precedes the keys in messages, for instance `preprocess.`.
    func check<Root>(
        _ root: Root, source: String, prefix: String = ""
    ) throws(ConfigurationError) where Element == ConfigurationKey<Root> {
        for key in self {
            if let (expected, found) = key.problem(root) {
                throw .invalidValue(source: source, key: prefix + key.name, expected: expected, found: found)
            }
        }
    }

    /// What a file says of a configuration, in the order of the keys.
    func members<Root>(of root: Root) -> [JSONValue.Member] where Element == ConfigurationKey<Root> {
        compactMap { key in key.write(root).map { JSONValue.Member(key.name, $0) } }
    }
}

extension JSONValue {
    /// The shortest decimal that reads back as the same `Float`, not that number's expansion to a `Double`.
    static func shortest(_ value: Float) -> JSONValue { .number(Double(value.description)!) }
}
