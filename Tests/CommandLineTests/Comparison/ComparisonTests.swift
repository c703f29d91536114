import CETNetGraph
import Testing

@testable import CETNetCommand

struct ComparisonTests {
    @Test func rowsFollowFromTheMeasurements() throws {
        let comparison = Synthetic.comparison(names: ["a", "b"], times: [10, 20])
        let (a, b) = (comparison.rows[0], comparison.rows[1])
        #expect(a.baseline == nil && b.baseline == "a")
        #expect(a.ratio.median == 1 && b.ratio.median == 2)
        // Runs of 1, 1.25 and 1.5 times a round's fastest, 15 of each.
        #expect(a.medianTime == 12.5 && b.medianTime == 25)
        #expect(a.spread == 10...15)
        #expect(a.imagesPerSecond == 80 && b.imagesPerSecond == 40)
        // 2 · 10⁹ multiply-adds of two operations each, 40 times a second.
        #expect(b.gigaflops == 160 && b.shareOfPeak == 0.8)
        #expect(comparison.ranking == [0, 1])
        #expect(comparison.closePairs.isEmpty)
    }

    @Test func partsSumUp() {
        let measurement = ModelMeasurement(rounds: [[8]], steps: Synthetic.steps(milliseconds: 8))
        #expect(PartGroup.allCases.map { measurement.share(of: $0) } == [0.25, 0.5, 0.125, 0.125])
        #expect(measurement.parts == [.stem, .convolutionalEmbedding, .attention, .mlp, .head])
        #expect(measurement.sum.milliseconds == 8)
        #expect(measurement.sum.multiplyAdds == 1_000_000_000)
        // 4 · 10⁸ multiply-adds in 4 ms.
        #expect(measurement.cost(of: .attention).gigaflops == 200)
        #expect(measurement.cost(of: .head).gigaflops == nil)
        #expect(measurement.embeddingKinds.map(\.kind) == ["convolution", "depthwise convolution"])
        #expect(ModelMeasurement(rounds: [[8]], steps: []).share(of: .attention) == 0)
        #expect(Set(Part.allCases.map { PartGroup($0) }) == Set(PartGroup.allCases))
    }

    @Test func aModelIsTooCloseToItself() {
        let comparison = Synthetic.comparison(names: ["a", "a (2)", "b"], times: [10, 10.05, 20])
        #expect(comparison.closePairs.map { [$0.first, $0.second] } == [[0, 1]])
        #expect(comparison.areTooClose(0, 1) && comparison.areTooClose(1, 0) && !comparison.areTooClose(1, 2))
        #expect(Findings.ranking(comparison) == "a ≈ a (2) < b")
        #expect(Findings.closePairs(comparison).count == 1)
        #expect(Findings.rule(comparison).contains("13 of the 15 rounds"))
    }

    /// a and c are told apart, b from neither: ≈ holds within the two groups only.
    @Test func overlappingGroupsAreShown() {
        let comparison = Synthetic.comparison(names: ["a", "b", "c", "d"], times: [10, 10.1, 10.2, 20])
        #expect(comparison.groups == [[0, 1], [1, 2], [3]])
        #expect(
            Findings.ranking(comparison)
                == "a, b, c, d; not told apart within each of these groups, but between them: a ≈ b; b ≈ c; d")
        // As in the table, where a is the baseline.
        #expect(Findings.closePairs(comparison).first == "b and a: ratio 1.010, 1.010 to 1.010")
    }

    @Test func aDisturbedPairIsTooNoisy() {
        var comparison = Synthetic.comparison(names: ["a", "b"], times: [10, 20])
        let entries = comparison.entries.enumerated().map { index, entry in
            var entry = entry
            if index == 1 { entry.measurement.rounds = (0..<15).map { [$0 < 7 ? 9.9 : 36] } }
            return entry
        }
        comparison = Comparison(
            title: "", question: "", settings: comparison.settings, machineText: "", machineFields: [:], warnings: [],
            entries: entries)
        #expect(comparison.pairs[0].ratio.verdict == .tooNoisy && comparison.closePairs.isEmpty)
        #expect(Findings.noisyPairs(comparison).count == 1)
        #expect(ComparisonText.text(comparison).contains("Too noisy to tell:\n  b and a: ratio 3.600, 0.990 to 3.600"))
    }

    @Test func fewRoundsAreSaidToTellNothing() {
        let comparison = Synthetic.comparison(names: ["a", "b"], times: [10, 20], drift: [1, 2, 1])
        #expect(comparison.closePairs.count == 1)
        #expect(Findings.rule(comparison).contains("Nothing is told apart by 3 rounds"))
    }

    @Test func accuracyHasAPrice() throws {
        let comparison = Synthetic.comparison(
            names: ["a", "b", "c", "d"], times: [10, 12, 5, 10.01], top1: ["80.0", "80.9", nil, "80.1"])
        // 0.2 times the median of the baseline's runs, 12.5 ms.
        #expect(
            Findings.prices(comparison) == [
                "b against a: +0.9 points of published top-1, +2.50 ms (+20.0 %)",
                "d against a: +0.1 points of published top-1, time too close to tell",
            ])
    }

    @Test func eachFormHasItsOwnBaseline() {
        let comparison = Synthetic.comparison(
            names: ["a", "ce-a", "b", "ce-b"], times: [10, 11, 20, 30], baselines: [0, 0, 2, 2])
        #expect(comparison.rows.map(\.baseline) == [nil, "a", nil, "b"])
        #expect(comparison.rows.map(\.ratio.median) == [1, 1.1, 1, 1.5])
    }
}
