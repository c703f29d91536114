import Testing

@testable import CETNetCommand

@Suite struct DistributionTests {
    @Test func figuresOfTenValues() {
        let distribution = Distribution([7, 3, 10, 1, 9, 5, 2, 8, 6, 4])
        #expect(distribution.sorted == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(distribution.count == 10)
        #expect(distribution.min == 1)
        #expect(distribution.max == 10)
        #expect(distribution.mean == 5.5)
        #expect(distribution.median == 5.5)
    }

    /// What numpy.percentile gives for the same values.
    @Test(arguments: [(0.0, 1.0), (10, 1.4), (50, 3), (75, 4), (90, 8.2), (99, 10.72), (100, 11)])
    func percentilesAreInterpolated(percent: Double, expected: Double) {
        let found = Distribution([11, 2, 4, 1, 3] as [Double]).percentile(percent)
        let difference = abs(found - expected)
        #expect(difference <= 1e-12, "P\(percent) is \(found), expected \(expected)")
    }

    @Test func oneValueIsEveryPercentile() {
        let distribution = Distribution([2.5])
        for percent in [0.0, 37, 50, 99, 100] { #expect(distribution.percentile(percent) == 2.5) }
        #expect(distribution.mean == 2.5)
        #expect(distribution.spread == 1)
    }

    @Test func aFewSlowRunsAreForgivenManyAreNot() {
        let steady = Distribution([Double](repeating: 10, count: 95) + [Double](repeating: 40, count: 5))
        #expect(steady.spread == 1)
        #expect(steady.isTrustworthy)
        let disturbed = Distribution([Double](repeating: 10, count: 80) + [Double](repeating: 12, count: 20))
        #expect(disturbed.spread == 1.2)
        #expect(!disturbed.isTrustworthy)
    }

    @Test func theMiddleHalfLeavesOutBothEnds() {
        #expect(Set([9.0, 1, 5, 4, 100, 6, 2, 7].indicesOfMiddleHalf) == [2, 3, 5, 7])
        #expect([3.0, 1, 2].indicesOfMiddleHalf.count == 3)
        #expect([8.0].indicesOfMiddleHalf == [0])
        #expect([Double]().indicesOfMiddleHalf == [])
        // Equal values are told apart by nothing, but none is taken twice.
        let equal = [Double](repeating: 1, count: 8).indicesOfMiddleHalf
        #expect(equal.count == 4)
        #expect(Set(equal).count == 4)
    }
}
