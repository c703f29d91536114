import CETNetGraph
import CETNetKernels
import CKernels

/// The two positions of an axis that a position of a resized axis lies between, as `torch.nn.functional.interpolate` has
/// them in bilinear mode with `align_corners=False`: centres are aligned, and beyond the first and the last centre the
/// edge's value goes on.
struct LinearTap: Sendable {
    let first: Int
    let second: Int
    /// Of the second; the first has the rest of 1.
    let weight: Float

    /// One for each of `to` positions, on an axis of `from`.
    static func taps(from: Int, to: Int) -> [LinearTap] {
        (0..<to).map { position in
            let source = max(0, (Double(position) + 0.5) * Double(from) / Double(to) - 0.5)
            let first = min(Int(source), from - 1)
            return LinearTap(
                first: first, second: min(first + 1, from - 1), weight: Float(source - Double(first)))
        }
    }
}

/// For each position of an output the rows that it is a weighted sum of, as many for each.
package struct GatherTable: Sendable {
    private(set) var rows: [Int32] = []
    private(set) var weights: [Float] = []
    package let terms: Int

    var count: Int { rows.count / terms }

    package init(terms: Int) { self.terms = terms }

    /// Appends a position; terms that it does not need have weight 0.
    package mutating func append(_ sum: [(row: Int, weight: Float)]) {
        for index in 0..<terms {
            rows.append(Int32(index < sum.count ? sum[index].row : sum.first?.row ?? 0))
            weights.append(index < sum.count ? sum[index].weight : 0)
        }
    }

    /// Lends the rows and the weights.
    func withPointers(_ body: (UnsafePointer<Int32>, UnsafePointer<Float>) -> Void) {
        rows.withUnsafeBufferPointer { rows in
            weights.withUnsafeBufferPointer { body(rows.baseAddress!, $0.baseAddress!) }
        }
    }

    /// A resized axis.
    init(_ taps: [LinearTap]) {
        terms = 2
        for tap in taps { append([(tap.first, 1 - tap.weight), (tap.second, tap.weight)]) }
    }
}

extension KernelSet {
    /// `y = Σ weights[t] · x[t]` on `rows` rows of `columns`.
    /// - Parameter x: as many as weights, rows `stride` apart.
    package func weightedSum(
        _ x: UnsafeMutableBufferPointer<UnsafePointer<Float>?>, weights: UnsafePointer<Float>, stride: Int, rows: Int,
        columns: Int, into y: Rows
    ) {
        var arguments = cetnet_weighted_sum(
            x: x.baseAddress!, weights: weights, terms: x.count, x_stride: stride, rows: rows, columns: columns,
            y: y.base, y_stride: y.stride)
        functions.pointee.weighted_sum(&arguments)
    }

    /// Some positions of a table, each into a row of `y`.
    /// - Parameter accumulates: whether they are added to what is there.
    package func gather(
        _ x: Rows, columns: Int, _ table: GatherTable, positions: Range<Int>, accumulates: Bool = false, into y: Rows
    ) {
        table.withPointers { rows, weights in
            let first = positions.lowerBound * table.terms
            var arguments = cetnet_gathered_sum(
                x: x.base, x_stride: x.stride, columns: columns, rows: rows + first, weights: weights + first,
                terms: table.terms, count: positions.count, accumulates: accumulates ? 1 : 0, y: y.base,
                y_stride: y.stride)
            functions.pointee.gathered_sum(&arguments)
        }
    }
}
