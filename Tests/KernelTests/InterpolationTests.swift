import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import TestSupport
import Testing

/// Weighted sums of every tier, and what is made of them.
@Suite struct InterpolationTests {
    private static let columns = [1, 3, 4, 15, 16, 17, 31, 64, 65, 150]

    @Test(arguments: tiers) func weightedSums(_ tier: Tier) {
        for columns in Self.columns {
            for terms in [1, 2, 6] {
                let (rows, stride) = (3, columns + 2)
                var noise = SeededGenerator(seed: UInt64(columns + terms))
                let weights = GuardedBuffer(noise.values(terms))
                let values = (0..<terms).map { _ in noise.values(rows * columns) }
                let operands = values.map { GuardedBuffer(spread($0, rows: columns, gap: 2)) }
                let output = GuardedBuffer(count: rows * columns)
                var pointers = operands.map { Optional(UnsafePointer($0.pointer)) }
                pointers.withUnsafeMutableBufferPointer {
                    tier.kernels.weightedSum(
                        $0, weights: weights.pointer, stride: stride, rows: rows, columns: columns,
                        into: Rows(output.pointer, stride: columns))
                }
                withExtendedLifetime(operands) { output.checkGuards("weighted sum") }
                let expected = (0..<rows * columns).map { index in
                    zip(values, weights.values).reduce(0.0) { $0 + Double($1.0[index]) * Double($1.1) }
                }
                expectClose(
                    output.values, expected, tolerance: sumTolerance(count: terms, magnitude: 1),
                    "\(tier.kernels.name) \(terms) terms of \(columns)")
            }
        }
    }

    @Test(arguments: tiers) func gatheredSums(_ tier: Tier) {
        for columns in Self.columns {
            for accumulates in [false, true] {
                var noise = SeededGenerator(seed: UInt64(columns))
                let (rows, stride, outputStride) = (5, columns + 1, columns + 3)
                let x = noise.values(rows * columns)
                let sums = [[(3, Float(0.25)), (0, 0.5), (3, -1)], [(4, 1)], [(1, 0.75), (2, 0.25)]].map { sum in
                    sum.map { (row: $0.0, weight: $0.1) }
                }
                var table = GatherTable(terms: 3)
                for sum in sums { table.append(sum) }
                let before = noise.values(sums.count * columns)
                let input = GuardedBuffer(spread(x, rows: columns, gap: 1))
                let output = GuardedBuffer(spread(before, rows: columns, gap: 3))
                tier.kernels.gather(
                    Rows(input.pointer, stride: stride), columns: columns, table, positions: 1..<3,
                    accumulates: accumulates, into: Rows(output.pointer + outputStride, stride: outputStride))
                output.checkGuards("gathered sum")
                let (actual, between) = gathered(output.values, rows: columns, gap: 3)
                #expect(between.allSatisfy { $0.isNaN }, "\(tier.kernels.name): wrote between positions")
                let expected = (0..<sums.count * columns).map { index in
                    let (position, column) = (index / columns, index % columns)
                    let start = Double(before[index])
                    if position == 0 { return start }
                    return sums[position].reduce(accumulates ? start : 0) {
                        $0 + Double(x[$1.row * columns + column]) * Double($1.weight)
                    }
                }
                expectClose(
                    actual, expected, tolerance: sumTolerance(count: 4, magnitude: 1),
                    "\(tier.kernels.name) \(columns) columns, accumulates \(accumulates)")
            }
        }
    }

    /// The first of equal ones, never a NaN, nothing past the last column.
    @Test(arguments: tiers) func largest(_ tier: Tier) {
        for columns in Self.columns {
            var noise = SeededGenerator(seed: UInt64(columns))
            // Few different numbers, so that many are equal.
            var rows = (0..<40).map { _ in (0..<columns).map { _ in (noise.float() * 4).rounded() } }
            rows.append([Float](repeating: .nan, count: columns))
            rows.append([Float](repeating: -.infinity, count: columns))
            rows.append((0..<columns).map { $0 == columns / 2 ? -1e30 : $0 % 2 == 0 ? .nan : -.infinity })
            rows.append((0..<columns).map { $0 < columns - 1 ? -5 : -4 })
            let x = GuardedBuffer(rows.flatMap { $0 })
            var labels = [Int32](repeating: -1, count: rows.count + 1)
            (0..<Int32(rows.count)).map { $0 }.withUnsafeBufferPointer { indices in
                [Float](repeating: 1, count: rows.count).withUnsafeBufferPointer { weights in
                    labels.withUnsafeMutableBufferPointer { labels in
                        var arguments = cetnet_largest(
                            x: x.pointer, x_stride: columns, columns: columns, rows: indices.baseAddress,
                            weights: weights.baseAddress, terms: 1, count: rows.count, labels: labels.baseAddress)
                        tier.kernels.functions.pointee.largest(&arguments)
                    }
                }
            }
            let expected = rows.map { row in
                var best = 0
                for (column, value) in row.enumerated()
                where value > (row[best].isNaN ? -.infinity : row[best]) { best = column }
                return Int32(best)
            }
            #expect(labels == expected + [-1], "\(tier.kernels.name) \(columns) columns")
        }
    }
}
