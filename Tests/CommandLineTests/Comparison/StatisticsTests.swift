import Testing

@testable import CETNetCommand

struct StatisticsTests {
    /// Ranks from tables of the sign test at 1 %, two-sided: one more than the critical number of minus signs.
    @Test(
        arguments: [
            (1, nil), (7, nil), (8, 1), (10, 1), (11, 1), (12, 2), (15, 3), (20, 4), (25, 6), (50, 16), (100, 37),
        ] as [(Int, Int?)])
    func ranksAreThoseOfTheSignTest(count: Int, rank: Int?) {
        #expect(SignTest.rank(count: count) == rank)
    }

    @Test func ranksOfManyRoundsAreNearTheNormalOnes() throws {
        // n/2 − 2.576 · √n/2, the normal approximation, is off by about one.
        let rank = try #require(SignTest.rank(count: 10_000))
        #expect(abs(Double(rank) - (5000 - 2.5758 * 50)) <= 1.5, "\(rank)")
    }

    @Test func leastCountIsTheFirstWithAnInterval() {
        #expect(SignTest.leastCount == 8)
        #expect(SignTest.medianInterval([1, 2, 3, 4, 5, 6, 7]) == nil)
        #expect(SignTest.medianInterval([8, 2, 3, 4, 1, 5, 6, 7]) == 1...8)
        #expect(SignTest.medianInterval((1...15).map(Double.init).reversed()) == 3...13)
    }

    @Test func aDriftingMachineDoesNotTouchRatios() {
        let drift = (0..<15).map { 1 + 0.2 * Double($0) }
        let ratio = PairedRatio(of: drift.map { $0 * 50 }, to: drift.map { $0 * 40 })
        #expect(abs(ratio.median - 1.25) < 1e-12, "\(ratio.median)")
        #expect(ratio.verdict == .slower)
        let inverse = PairedRatio(of: drift.map { $0 * 40 }, to: drift.map { $0 * 50 })
        #expect(abs(inverse.median - 0.8) < 1e-12, "\(inverse.median)")
        #expect(inverse.verdict == .faster)
    }

    /// 13 of 15 rounds must agree.
    @Test(arguments: [(15, PairedRatio.Verdict.slower), (13, .slower), (12, .tooClose), (3, .tooClose), (2, .faster)])
    func roundsMustAgree(slowerRounds: Int, verdict: PairedRatio.Verdict) {
        let times = (0..<15).map { $0 < slowerRounds ? 1.1 : 0.9 }
        let ratio = PairedRatio(of: times, to: Array(repeating: 1, count: 15))
        #expect(ratio.verdict == verdict, "\(ratio)")
    }

    @Test func smallAndFewDifferencesMeanNothing() {
        func verdict(_ ratio: Double, rounds: Int) -> PairedRatio.Verdict {
            PairedRatio(of: Array(repeating: ratio, count: rounds), to: Array(repeating: 1, count: rounds)).verdict
        }
        #expect(verdict(1.01, rounds: 100) == .tooClose)
        #expect(verdict(0.99, rounds: 100) == .tooClose)
        #expect(verdict(1.02, rounds: 100) == .slower)
        #expect(verdict(0.98, rounds: 100) == .faster)
        #expect(verdict(2, rounds: 7) == .tooClose)
        #expect(verdict(2, rounds: 8) == .slower)
        #expect(verdict(1, rounds: 8) == .tooClose)
    }

    @Test func nothingIsBothCheaperAndBetterThanTheFront() {
        let points = [(3.0, 82.0), (1, 80), (2, 79), (2, 81), (4, 82), (3, 82)].map { (cost: $0.0, value: $0.1) }
        #expect(ParetoFront.indices(points) == [1, 3, 0, 5])
        #expect(ParetoFront.indices([]) == [])
    }
}
