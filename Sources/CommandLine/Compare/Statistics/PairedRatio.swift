/// How much longer one model takes than another, round by round.
///
/// Both are measured in every round, one soon after the other, so whatever the machine does to a round it does to both,
/// and their ratio stays.
struct PairedRatio: Sendable, Equatable {
    /// The median of the rounds' ratios.
    let median: Double
    /// Where the median of all possible rounds lies with ``SignTest/confidence``; `nil` for too few rounds.
    let interval: ClosedRange<Double>?

    /// - Parameters:
    ///   - times: of one model, one for each round.
    ///   - others: of the other model in the same rounds.
    init(of times: [Double], to others: [Double]) {
        precondition(times.count == others.count && !times.isEmpty, "\(times.count) and \(others.count) rounds")
        let ratios = zip(times, others).map { $0 / $1 }
        median = Distribution(ratios).median
        interval = SignTest.medianInterval(ratios)
    }

    enum Verdict: String, Sendable, Hashable {
        case faster
        case slower
        /// The rounds do not agree, or agree on a difference that means nothing.
        case tooClose = "too close"
        /// The rounds do not agree, and differ so much that even a large difference would not be seen.
        case tooNoisy = "too noisy"
    }

    /// A smaller difference is not told apart even where all rounds agree on it. Where a program's memory happens to
    /// lie moves a model's times by about so much from one start of the program to the next, the same way in all
    /// rounds.
    static let leastDifference = 0.015

    /// An interval that holds 1 and goes farther than this to one side says that the rounds were disturbed, not that the
    /// models are alike.
    static let noisyDifference = 0.25

    /// What can be said of the first model against the other.
    var verdict: Verdict {
        guard let interval else { return .tooClose }
        guard !interval.contains(1) else {
            let limit = 1 + Self.noisyDifference
            return interval.upperBound > limit || interval.lowerBound < 1 / limit ? .tooNoisy : .tooClose
        }
        if median > 1 + Self.leastDifference { return .slower }
        return median < 1 / (1 + Self.leastDifference) ? .faster : .tooClose
    }
}
