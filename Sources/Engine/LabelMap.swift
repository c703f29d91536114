import CETNetGraph
import CETNetKernels
import CETNetMemory
import CKernels

/// From logits of a part of an image's size to a label for each of its pixels: bilinear to the size that the network
/// saw, bilinear from there to the image's own, and the first class of the largest logit.
///
/// Nothing of full size is made on the way. Both resizes are linear, so that each pixel is one weighted sum of a few
/// positions; rows are summed up first, then columns, by bands of output rows. A pixel's bits depend neither on the
/// bands nor on the threads. Sizes and terms are checked by whoever calls.
package struct LabelMap: Sendable {
    /// Of the logits.
    package let from: ImageSize
    package let classes: Int
    /// Of the labels.
    package let to: ImageSize
    private let vertical: GatherTable
    private let horizontal: GatherTable
    private let kernels: KernelSet

    /// Output rows that are computed one after another, with the logits' rows that they need at hand.
    private static let bandRows = 32
    /// Positions whose probabilities are computed at a time.
    private static let softmaxPositions = 64

    /// - Parameters:
    ///   - from: size of the logits.
    ///   - through: size of the network's input.
    ///   - to: size of the image.
    ///   - kernels: the tier that computes.
    package init(from: ImageSize, classes: Int, through: ImageSize, to: ImageSize, kernels: KernelSet) {
        (self.from, self.classes, self.to, self.kernels) = (from, classes, to, kernels)
        vertical = Self.axis(from: from.height, through: through.height, to: to.height)
        horizontal = Self.axis(from: from.width, through: through.width, to: to.width)
    }

    /// Two resizes of an axis as one sum of up to four positions.
    private static func axis(from: Int, through: Int, to: Int) -> GatherTable {
        let inner = LinearTap.taps(from: from, to: through)
        let sums = LinearTap.taps(from: through, to: to).map { outer in
            var terms: [(row: Int, weight: Double)] = []
            for (position, outerWeight) in [
                (outer.first, 1 - Double(outer.weight)), (outer.second, Double(outer.weight)),
            ] {
                let tap = inner[position]
                for (row, weight) in [(tap.first, 1 - Double(tap.weight)), (tap.second, Double(tap.weight))] {
                    if let known = terms.firstIndex(where: { $0.row == row }) {
                        terms[known].weight += outerWeight * weight
                    } else {
                        terms.append((row, outerWeight * weight))
                    }
                }
            }
            return terms.filter { $0.weight != 0 }
        }
        var table = GatherTable(terms: sums.map(\.count).max()!)
        for sum in sums { table.append(sum.map { ($0.row, Float($0.weight)) }) }
        return table
    }

    // MARK: Labels

    /// The label of each pixel.
    /// - Parameters:
    ///   - logits: classes × height × width, as a session gives them.
    ///   - labels: room for height × width of the image.
    ///   - threads: how many threads may help, the caller's included.
    package func labels(
        _ logits: UnsafePointer<Float>, into labels: UnsafeMutablePointer<Int32>, threads: Int
    ) throws(OutOfMemoryError) {
        let width = to.width
        let output = Shared(labels)
        try eachBand(of: 0..<to.height, of: logits, threads: threads) { rows, band in
            for row in rows {
                let sums = band.sum(row)
                horizontal.withPointers { columns, weights in
                    var arguments = cetnet_largest(
                        x: sums.base, x_stride: sums.stride, columns: classes, rows: columns, weights: weights,
                        terms: horizontal.terms, count: width, labels: output.base + row * width)
                    kernels.functions.pointee.largest(&arguments)
                }
            }
        }
    }

    // MARK: Numbers

    /// The resized logits of some rows of the image.
    /// - Parameters:
    ///   - logits: classes × height × width, as a session gives them.
    ///   - rows: of the image.
    ///   - output: room for rows × width × classes.
    package func logits(
        _ logits: UnsafePointer<Float>, rows: Range<Int>, into output: UnsafeMutablePointer<Float>, threads: Int
    ) throws(OutOfMemoryError) {
        let output = Shared(output)
        try eachBand(of: rows, of: logits, threads: threads) { band, source in
            for row in band {
                kernels.gather(
                    source.sum(row), columns: classes, horizontal, positions: 0..<to.width,
                    into: Rows(output.base + (row - rows.lowerBound) * to.width * classes, stride: classes))
            }
        }
    }

    /// The probabilities of some rows of the image: softmax of their resized logits. Else like
    /// ``logits(_:rows:into:threads:)``.
    package func probabilities(
        _ logits: UnsafePointer<Float>, rows: Range<Int>, into output: UnsafeMutablePointer<Float>, threads: Int
    ) throws(OutOfMemoryError) {
        let output = Shared(output)
        try eachBand(of: rows, of: logits, threads: threads) { band, source in
            for row in band {
                let sums = source.sum(row)
                for first in stride(from: 0, to: to.width, by: Self.softmaxPositions) {
                    let positions = first..<min(first + Self.softmaxPositions, to.width)
                    let scores = Rows(source.scores, stride: CacheLine.floats(classes))
                    kernels.gather(sums, columns: classes, horizontal, positions: positions, into: scores)
                    var softmax = cetnet_softmax(
                        scores: scores.base, stride: scores.stride, rows: positions.count, columns: classes, mask: nil,
                        mask_stride: 0)
                    kernels.functions.pointee.softmax(&softmax)
                    kernels.pointwise(
                        scores, rows: positions.count, columns: classes, scale: nil, residual: nil, activation: nil,
                        into: Rows(
                            output.base + ((row - rows.lowerBound) * to.width + first) * classes, stride: classes))
                }
            }
        }
    }

    // MARK: Bands

    /// Rows of logits with classes innermost, and room for a row of sums.
    private struct Band {
        let map: LabelMap
        let firstRow: Int
        let rows: Rows
        let sums: Rows
        /// For softmax.
        let scores: UnsafeMutablePointer<Float>

        /// The sum of the logits' rows that an output row is made of.
        func sum(_ row: Int) -> Rows {
            let (table, width) = (map.vertical, map.from.width)
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: table.terms) { x in
                let first = row * table.terms
                for term in 0..<table.terms {
                    x[term] = UnsafePointer(
                        rows.advanced(by: (Int(table.rows[first + term]) - firstRow) * width).base)
                }
                table.withPointers { _, weights in
                    map.kernels.weightedSum(
                        x, weights: weights + first, stride: rows.stride, rows: width, columns: map.classes,
                        into: sums)
                }
            }
            return sums
        }
    }

    /// Calls `body` for bands of output rows, on several threads.
    private func eachBand(
        of rows: Range<Int>, of logits: UnsafePointer<Float>, threads: Int, _ body: (Range<Int>, Band) -> Void
    ) throws(OutOfMemoryError) {
        let bands = Partition(count: rows.count, largest: Self.bandRows)
        func output(_ band: Int) -> Range<Int> {
            rows.lowerBound + bands[band].lowerBound..<rows.lowerBound + bands[band].upperBound
        }
        func input(_ band: Int) -> Range<Int> {
            let range = output(band)
            let sources = vertical.rows[range.lowerBound * vertical.terms..<range.upperBound * vertical.terms]
            return Int(sources.min()!)..<Int(sources.max()!) + 1
        }
        let inputRows = (0..<bands.parts).map { input($0).count }.max() ?? 0
        let (rowFloats, workers) = (from.width * classes, max(1, min(threads, bands.parts)))
        let scoreFloats = Self.softmaxPositions * CacheLine.floats(classes)
        let floats = CacheLine.floats((inputRows + 1) * rowFloats) + scoreFloats
        let memory = try HugePageMemory(bytes: workers * floats * MemoryLayout<Float>.stride)
        let team = try ThreadTeam(workers: workers)
        let tasks = try ThreadTeam.Tasks(lists: 1, team: team)
        team.runAll { worker in
            let scratch = memory.base.assumingMemoryBound(to: Float.self) + worker * floats
            tasks.work(list: 0, length: bands.parts) { index in
                let needed = input(index)
                for (place, row) in needed.enumerated() {
                    cetnet_planes_to_positions(
                        logits + row * from.width, from.area, classes, 0, from.width, scratch + place * rowFloats)
                }
                let band = Band(
                    map: self, firstRow: needed.lowerBound, rows: Rows(scratch, stride: classes),
                    sums: Rows(scratch + inputRows * rowFloats, stride: classes), scores: scratch + floats - scoreFloats
                )
                body(output(index), band)
            }
        }
    }

    /// Memory that tasks write to, each in a place of its own.
    private struct Shared<Element>: @unchecked Sendable {
        let base: UnsafeMutablePointer<Element>

        init(_ base: UnsafeMutablePointer<Element>) { self.base = base }
    }
}
