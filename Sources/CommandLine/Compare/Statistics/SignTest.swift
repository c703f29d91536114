import Foundation

/// The confidence interval of a median that follows from the sign test: whatever distribution the values have, each of
/// them is as likely above its median as below, so that the number below is binomial.
enum SignTest {
    /// How sure the intervals are.
    static let confidence = 0.99

    /// The interval between the k-th smallest and the k-th largest of `values`, k as large as the confidence allows.
    /// - Returns: `nil` for fewer than eight values, where not even the smallest and the largest are far enough apart.
    static func medianInterval(_ values: [Double]) -> ClosedRange<Double>? {
        guard let rank = rank(count: values.count) else { return nil }
        let sorted = values.sorted()
        return sorted[rank - 1]...sorted[values.count - rank]
    }

    /// How many values an interval needs at least.
    static let leastCount = (1...).first { rank(count: $0) != nil }!

    /// The largest k for which the median lies outside the k-th smallest and the k-th largest of `count` values with a
    /// probability of at most 1 − ``confidence``: `2 · P(Binomial(count, 1/2) ≤ k − 1)`. `nil` if there is none.
    static func rank(count: Int) -> Int? {
        var outside = 0.0
        var rank = 0
        while rank < count {
            outside += 2 * exp(logProbability(rank, of: count))
            guard outside <= 1 - confidence + 1e-12 else { break }
            rank += 1
        }
        return rank > 0 ? rank : nil
    }

    /// The logarithm of P(Binomial(count, 1/2) = below); 2^-count is no number any more for thousands.
    static func logProbability(_ below: Int, of count: Int) -> Double {
        lgamma(Double(count) + 1) - lgamma(Double(below) + 1) - lgamma(Double(count - below) + 1)
            - Double(count) * log(2)
    }
}
