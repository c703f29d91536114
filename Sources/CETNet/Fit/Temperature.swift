import CETNetCheckpoint
import CETNetEngine
import Foundation

/// The temperature that makes softmax of held-out scores as probable as their labels: Guo et al., "On calibration of
/// modern neural networks", ICML 2017, section 4.2.
///
/// Scores that are never wrong would make it 0. As if one image more had been seen, whose label may be any, each label
/// gets 1 / (n + 1) of the images' weight, spread over all labels: with many images that is nothing.
struct Temperature {
    let value: Double
    /// Of the scores, in nats, over the labels as they are.
    let crossEntropy: Double

    /// What scores are divided by at least and at most.
    private static let range = 1e-3...1e3

    /// Images that one part of a sum has: a number that threads do not change.
    private static let blockSize = 1024

    /// The sums over all images at an inverse temperature.
    private struct Sums {
        var slope = 0.0, curvature = 0.0, crossEntropy = 0.0, weight = 0.0
    }

    /// - Parameter scores: for each image the scores of all labels, its label, its weight.
    init(_ scores: Spool, count: Int, labels: Int, threads: Int) throws {
        let share = 1 / Double(count + 1)
        func sums(_ inverse: Double) throws -> Sums {
            let blocks = (count + Self.blockSize - 1) / Self.blockSize
            let parts = mapConcurrently(count: blocks, threads: threads) { block in
                Result { try Self.sums(scores, block, count: count, labels: labels, inverse: inverse, share: share) }
            }
            return try parts.reduce(into: Sums()) { total, part in
                let part = try part.get()
                total.slope += part.slope
                total.curvature += part.curvature
                total.crossEntropy += part.crossEntropy
                total.weight += part.weight
            }
        }
        // Newton's method on a convex function of 1 / T, kept between the ends of an interval that shrinks.
        var (low, high) = (1 / Self.range.upperBound, 1 / Self.range.lowerBound)
        var inverse = 1.0
        var found = try sums(inverse)
        for _ in 0..<100 {
            if found.slope > 0 { high = inverse } else { low = inverse }
            var next = inverse - found.slope / found.curvature
            if !(next > low && next < high) { next = (low * high).squareRoot() }
            let step = abs(next - inverse)
            inverse = next
            found = try sums(inverse)
            if step <= 1e-10 * inverse { break }
        }
        value = 1 / inverse
        crossEntropy = found.crossEntropy / found.weight
    }

    private static func sums(
        _ spool: Spool, _ block: Int, count: Int, labels: Int, inverse: Double, share: Double
    ) throws -> Sums {
        let first = block * blockSize
        let rows = min(blockSize, count - first)
        let records = try DoubleMatrix(rows: rows, columns: labels + 2)
        try spool.read(
            into: UnsafeMutableRawBufferPointer(start: records.values, count: rows * spool.recordBytes), at: first)
        var sums = Sums()
        for row in 0..<rows {
            let scores = records[row]
            let (label, weight) = (Int(scores[labels]), scores[labels + 1])
            var highest = scores[0]
            for other in 1..<labels { highest = max(highest, scores[other]) }
            var (sum, first, second, mean) = (0.0, 0.0, 0.0, 0.0)
            for other in 0..<labels {
                let score = scores[other] - highest
                let exponential = exp(inverse * score)
                sum += exponential
                first += exponential * score
                second += exponential * score * score
                mean += score / Double(labels)
            }
            let expected = first / sum
            let own = scores[label] - highest
            sums.slope += weight * (expected - ((1 - share) * own + share * mean))
            sums.curvature += weight * max(0, second / sum - expected * expected)
            sums.crossEntropy += weight * (log(sum) - inverse * own)
            sums.weight += weight
        }
        return sums
    }
}
