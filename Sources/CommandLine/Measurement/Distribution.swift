/// What a set of measured times says.
struct Distribution: Sendable, Equatable {
    /// In ascending order.
    let sorted: [Double]

    /// - Parameter values: at least one, all finite.
    init(_ values: some Sequence<Double>) {
        sorted = values.sorted()
        precondition(!sorted.isEmpty, "a distribution of no values")
    }

    var count: Int { sorted.count }
    var min: Double { sorted[0] }
    var max: Double { sorted[sorted.count - 1] }
    var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }
    var median: Double { percentile(50) }

    /// The value below which `percent` of the values lie. Between two values it is interpolated linearly: the values
    /// in order stand for the percentages 0, 100/(n−1), 200/(n−1), …, 100.
    /// - Parameter percent: 0...100.
    func percentile(_ percent: Double) -> Double {
        precondition((0...100).contains(percent), "percentile \(percent)")
        let position = percent / 100 * Double(sorted.count - 1)
        let below = Int(position)
        guard below + 1 < sorted.count else { return max }
        let fraction = position - Double(below)
        return sorted[below] + fraction * (sorted[below + 1] - sorted[below])
    }

    /// How far the slow runs are from the usual one: 90th percentile over median. 1 if all are equal.
    var spread: Double { median > 0 ? percentile(90) / median : 1 }

    /// Above this ``spread`` something else had a share in the times, and they should not be trusted.
    static let trustworthySpread = 1.15

    /// Whether the spread is small enough for the figures to mean something.
    var isTrustworthy: Bool { spread <= Self.trustworthySpread }
}

extension Collection<Double> {
    /// Indices of the middle half of the values: those between the first and the third quartile, both included. At
    /// least one. What was disturbed, and what was lucky, is left out, and averages over these runs still add up.
    var indicesOfMiddleHalf: [Index] {
        guard !isEmpty else { return [] }
        let distribution = Distribution(self)
        let order = indices.sorted { self[$0] < self[$1] }
        let quarter = distribution.count / 4
        return Array(order[quarter..<(distribution.count - quarter)])
    }
}
