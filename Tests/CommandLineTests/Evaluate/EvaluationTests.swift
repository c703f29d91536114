import Testing

@testable import CETNetCommand

/// The figures of an evaluation against those of scipy 1.17 (`binomtest`: Wilson's interval, McNemar's exact test) and
/// scikit-learn 1.9 (precision and recall) on the same predictions; the calibration error's bins by NumPy.
@Suite struct EvaluationTests {
    private static let count = 200
    private static let first = outcomes {
        ($0 * 7 + $0 / 13) % 4
    } isGuessed: {
        $0 % 5 == 0
    }
    private static let second = outcomes {
        ($0 * 3 + $0 / 7) % 4
    } isGuessed: {
        $0 % 7 == 0
    }

    private static func outcomes(_ guess: (Int) -> Int, isGuessed: (Int) -> Bool) -> [Evaluation.Outcome] {
        (0..<count).map { i in
            Evaluation.Outcome(
                truth: i % 4, predicted: isGuessed(i) ? guess(i) : i % 4,
                probability: Float(Double((i * 37) % 1000 + 1) / 1001), isAmongFive: i % 10 != 0)
        }
    }

    private func expect(_ found: Double?, _ expected: Double, _ what: String) {
        #expect(found.map { abs($0 - expected) <= 1e-9 } == true, "\(what): \(found ?? .nan), expected \(expected)")
    }

    @Test func sharesAndIntervals() {
        let evaluation = Evaluation(outcomes: Self.first)
        expect(evaluation.top1, 0.845, "top-1")
        expect(evaluation.top5, 0.9, "top-5")
        let interval = evaluation.interval(evaluation.top1)
        expect(interval.lowerBound, 0.788_393_094_076_579_2, "lower bound")
        expect(interval.upperBound, 0.888_603_630_723_106_8, "upper bound")
        expect(Evaluation(outcomes: []).interval(0).upperBound, 1, "of no images")
        #expect(evaluation.interval(1).upperBound == 1 && evaluation.interval(0).lowerBound == 0)
    }

    @Test func precisionAndRecall() {
        let labels = Evaluation(outcomes: Self.first).labels
        let expected = [(0.811_320_754_716_981_2, 0.86)] + Array(repeating: (0.857_142_857_142_857_1, 0.84), count: 3)
        #expect(labels.map(\.label) == [0, 1, 2, 3])
        for (found, expected) in zip(labels, expected) {
            #expect(found.images == 50)
            expect(found.precision, expected.0, "precision of \(found.label)")
            expect(found.recall, expected.1, "recall of \(found.label)")
        }
        // A label that is never predicted, and one that is never shown.
        let odd = Evaluation(
            outcomes: [.init(truth: 1, predicted: 2, probability: 1, isAmongFive: true)])
        #expect(odd.labels.map(\.precision) == [nil, 0] && odd.labels.map(\.recall) == [0, nil])
    }

    @Test func confusionsAddUp() {
        let evaluation = Evaluation(outcomes: Self.first)
        #expect(evaluation.confusions.reduce(0) { $0 + $1.images } == Self.count)
        let right = evaluation.confusions.filter { $0.truth == $0.predicted }.reduce(0) { $0 + $1.images }
        #expect(right == 169)
    }

    @Test func calibration() {
        expect(Evaluation(outcomes: Self.first).calibrationError, 0.361_353_646_306_670_4, "calibration error")
        // The ends of the range belong to the first and the last bin.
        let ends = [0, 1].map {
            Evaluation.Outcome(truth: 0, predicted: 0, probability: Float($0), isAmongFive: true)
        }
        expect(Evaluation(outcomes: ends).calibrationError, 0.5, "calibration error at the ends")
    }

    @Test func mcNemar() {
        let agreement = Agreement(Self.first, Self.second)
        #expect(agreement.onlyFirst == 18 && agreement.onlySecond == 28)
        expect(agreement.same, 0.76, "same label")
        expect(agreement.probability, 0.183_924_821_376_990_62, "probability")
        expect(Agreement(Self.first, Self.first).probability, 1, "against itself")
        // Thousands of images, and a difference that cannot be chance.
        func outcomes(_ right: Range<Int>) -> [Evaluation.Outcome] {
            (0..<4001).map { .init(truth: 0, predicted: right.contains($0) ? 0 : 1, probability: 1, isAmongFive: true) }
        }
        expect(
            Agreement(outcomes(0..<1950), outcomes(1950..<4001)).probability, 0.113_880_187_461_868_9, "1950 to 2051")
        #expect(Agreement(outcomes(0..<3), outcomes(3..<4001)).probability < 1e-300)
    }

    @Test func tablesOfOthers() {
        let text = "path,label\r\n\"a,\"\"b\"\".png\",x\n\nc.png,\"two\nlines\"\rd.png,y"
        #expect(
            CSV.rows(text) == [["path", "label"], ["a,\"b\".png", "x"], ["c.png", "two\nlines"], ["d.png", "y"]])
    }
}
