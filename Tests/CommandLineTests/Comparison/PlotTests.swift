import Foundation
import Testing

@testable import CETNetCommand

struct PlotTests {
    @Test(arguments: [
        ([82.4, 82.8], false), ([0.0, 97.3], true), ([4.069, 4.246], false), ([5.0], false), ([5.0], true),
        ([1e-7, 3e-7], true), ([1e6, 7e6], false), ([-3.0, 12.0], false), ([0.0], true),
    ])
    func axesHoldTheirValuesBetweenRoundTicks(values: [Double], startsAtZero: Bool) {
        let axis = Axis(values, startsAtZero: startsAtZero)
        #expect(axis.ticks.count >= 2 && axis.ticks.count <= 9, "\(axis.ticks)")
        for value in values { #expect((0...1).contains(axis.position(value)), "\(value) in \(axis.range)") }
        if startsAtZero { #expect(axis.range.lowerBound == 0) }
        let labels = axis.ticks.map(axis.label)
        #expect(Set(labels).count == labels.count, "\(labels)")
        for (tick, label) in zip(axis.ticks, labels) {
            let step = axis.ticks[1] - axis.ticks[0]
            #expect(abs((Double(label) ?? .nan) - tick) <= 1e-6 * step, "\(tick) is labelled \(label)")
        }
    }

    @Test(arguments: [([1.0, 400.0], 1...500.0), ([0.03, 8], 0.02...10), ([2, 30000], 1...100_000)])
    func valuesThatDifferALotGetALogarithmicAxis(values: [Double], range: ClosedRange<Double>) {
        let axis = Axis(values, mayBeLogarithmic: true)
        #expect(axis.isLogarithmic && !Axis(values).isLogarithmic)
        #expect(axis.range == range && axis.ticks.first == range.lowerBound && axis.ticks.last == range.upperBound)
        #expect(abs(axis.position((range.lowerBound * range.upperBound).squareRoot()) - 0.5) < 1e-9)
        #expect(Set(axis.ticks.map(axis.label)).count == axis.ticks.count, "\(axis.ticks.map(axis.label))")
    }

    @Test func quantitiesHaveNoAxisBelowZero() {
        #expect(Axis([0.1, 9]).range.lowerBound == 0)
        #expect(Axis([-0.1, 9]).range.lowerBound < 0)
    }

    /// Points in a heap, on a line, all at the same place, in the corners.
    @Test(
        arguments: [
            [(100, 100), (101, 101), (103, 99), (105, 104), (98, 97), (110, 100)],
            [(50, 200), (60, 200), (70, 200), (80, 200), (90, 200), (100, 200)],
            [(300, 150), (300, 150), (300, 150), (300, 150)], [(0, 0), (600, 0), (0, 300), (600, 300)],
        ] as [[(Double, Double)]])
    func namesCoverNeitherEachOtherNorPoints(points: [(Double, Double)]) {
        let area = PlotRectangle(x: 0, y: 0, width: 600, height: 300)
        let centres = points.map { PlotPoint(x: $0.0, y: $0.1) }
        let places = LabelPlacement.places(
            points: centres, sizes: centres.map { _ in (120, 15) }, area: area)
        #expect(places.count == points.count)
        for (index, place) in places.enumerated() {
            #expect(area.contains(place.rectangle), "\(place)")
            for other in places[..<index] {
                #expect(!place.rectangle.intersects(other.rectangle), "\(place) and \(other)")
            }
            for centre in centres {
                let mark = PlotRectangle(x: centre.x - 5, y: centre.y - 5, width: 10, height: 10)
                #expect(!place.rectangle.intersects(mark), "\(place) covers \(centre)")
            }
        }
    }

    @Test func namesKeepOffLines() {
        let line = PlotRectangle(x: 0, y: 98, width: 600, height: 4)
        let places = LabelPlacement.places(
            points: [PlotPoint(x: 100, y: 100)], sizes: [(80, 15)], lines: [line],
            area: PlotRectangle(x: 0, y: 0, width: 600, height: 300))
        #expect(!places[0].rectangle.intersects(line), "\(places[0])")
    }

    @Test func aPlotNeedsTwoPublishedAccuracies() {
        let one = ComparisonPlots.all(
            Synthetic.comparison(names: ["a", "b"], times: [1, 2], top1: ["80.1", nil]))
        #expect(one.map { $0.alone != nil } == [false, true, true])
        #expect(one[0].note.contains("Fewer than two") && one[0].note.contains("b."))
        let two = ComparisonPlots.all(
            Synthetic.comparison(names: ["a", "b", "c"], times: [1, 2, 3], top1: ["80.1", nil, "81"]))
        #expect(two.map { $0.alone != nil } == [true, true, true])
        #expect(two[0].note == "Without a published top-1 and so not in this plot: b.")
    }
}
