import Foundation

/// How well a model's predictions fit what images show.
struct Evaluation {
    /// What a model says of an image that it could classify.
    struct Outcome {
        /// Indices of labels.
        let truth: Int
        let predicted: Int
        /// Of the predicted label, 0...1.
        let probability: Float
        /// Whether the truth is among the five most probable labels.
        let isAmongFive: Bool

        var isRight: Bool { predicted == truth }
    }

    /// Of one label.
    struct LabelFigures {
        let label: Int
        /// Images that show it.
        let images: Int
        /// Of the images that it was predicted for, the share that shows it; `nil` if there are none.
        let precision: Double?
        /// Of the images that show it, the share that it was predicted for; `nil` if there are none.
        let recall: Double?
    }

    let outcomes: [Outcome]

    /// Bins of the calibration error.
    static let bins = 15

    private func share(_ isCounted: (Outcome) -> Bool) -> Double {
        outcomes.isEmpty ? 0 : Double(outcomes.count(where: isCounted)) / Double(outcomes.count)
    }

    /// The share of images whose most probable label is right.
    var top1: Double { share(\.isRight) }

    /// The share of images whose label is among the five most probable.
    var top5: Double { share(\.isAmongFive) }

    /// The 95 % interval of a share of the images (Wilson, "Probable inference, the law of succession, and statistical
    /// inference", JASA 1927): the shares that the one found is within 1.96 standard deviations of.
    func interval(_ share: Double) -> ClosedRange<Double> {
        let n = Double(outcomes.count)
        guard n > 0 else { return 0...1 }
        let z = 1.959_963_984_540_054
        let center = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, center - half)...min(1, center + half)
    }

    /// Precision and recall of every label that is shown or predicted, by index.
    var labels: [LabelFigures] {
        var (shown, predicted, right) = ([Int: Int](), [Int: Int](), [Int: Int]())
        for outcome in outcomes {
            shown[outcome.truth, default: 0] += 1
            predicted[outcome.predicted, default: 0] += 1
            if outcome.isRight { right[outcome.truth, default: 0] += 1 }
        }
        return Set(shown.keys).union(predicted.keys).sorted().map { label in
            let correct = Double(right[label] ?? 0)
            return LabelFigures(
                label: label, images: shown[label] ?? 0, precision: predicted[label].map { correct / Double($0) },
                recall: shown[label].map { correct / Double($0) })
        }
    }

    /// How often each label was taken for each other: the confusion matrix without its zeros, by truth and prediction.
    var confusions: [(truth: Int, predicted: Int, images: Int)] {
        var counts: [[Int]: Int] = [:]
        for outcome in outcomes { counts[[outcome.truth, outcome.predicted], default: 0] += 1 }
        return counts.map { (truth: $0[0], predicted: $0[1], images: $1) }
            .sorted { ($0.truth, $0.predicted) < ($1.truth, $1.predicted) }
    }

    /// The expected calibration error (Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning",
    /// AAAI 2015): the distance of accuracy and mean probability in each of 15 bins of equal width, weighted by their
    /// images.
    var calibrationError: Double {
        var bins = [(images: Int, right: Int, probability: Double)](repeating: (0, 0, 0), count: Self.bins)
        for outcome in outcomes {
            // Bins are open below and closed above; 0 belongs to the first.
            let place = (Double(outcome.probability) * Double(Self.bins)).rounded(.up)
            let bin = min(max(Int(place) - 1, 0), Self.bins - 1)
            bins[bin].images += 1
            bins[bin].right += outcome.isRight ? 1 : 0
            bins[bin].probability += Double(outcome.probability)
        }
        let distance = bins.reduce(0) { $0 + abs(Double($1.right) - $1.probability) }
        return outcomes.isEmpty ? 0 : distance / Double(outcomes.count)
    }
}

/// Two models on the same images.
struct Agreement {
    /// The share of images that both give the same label.
    let same: Double
    /// Images that only the first, and only the second, gets right.
    let onlyFirst: Int
    let onlySecond: Int

    init(_ first: [Evaluation.Outcome], _ second: [Evaluation.Outcome]) {
        let pairs = Array(zip(first, second))
        same = pairs.isEmpty ? 1 : Double(pairs.count { $0.predicted == $1.predicted }) / Double(pairs.count)
        onlyFirst = pairs.count { $0.isRight && !$1.isRight }
        onlySecond = pairs.count { !$0.isRight && $1.isRight }
    }

    /// How likely a difference at least as large is if both are right equally often: McNemar's exact test (Psychometrika
    /// 1947), the two-sided sign test on the images that one of them gets right.
    var probability: Double {
        let (fewer, count) = (min(onlyFirst, onlySecond), onlyFirst + onlySecond)
        guard count > 0 else { return 1 }
        let tail = (0...fewer).reduce(0.0) { $0 + exp(SignTest.logProbability($1, of: count)) }
        return min(1, 2 * tail)
    }
}
