import CETNetCheckpoint

extension JSONValue {
    /// A finite number; a whole one without a point.
    static func double(_ value: Double) -> JSONValue { Int(exactly: value).map { .integer($0) } ?? .number(value) }

    /// A measured number: four digits behind the point say more than any clock does.
    static func rounded(_ value: Double) -> JSONValue { .double((value * 10_000).rounded() / 10_000) }
}
