import CETNetGraph
import CETNetKernels
import CKernels

/// A dense 3×3 convolution of a map beside others that are resized to its size, without resizing or joining them: a
/// UPerNet's fusion of its pyramid, and its pyramid pooling.
///
/// Convolution and resizing are linear, so each tap's product of weights and map may be computed at the map's own size,
/// where it has a quarter of the positions or fewer, and be resized, shifted and added afterwards. That the shift comes
/// last makes the zero padding right. The map of full size goes Winograd's way and takes the rest as its residual.
///
/// The nine products of a map, each as wide as the output, would be larger than all else in the network. They are
/// computed for a band of output rows at a time, in a ring of rows: what the next band needs again stays.
struct UpsampledConvolutionLayer: Layer {
    /// The convolution and what joined it.
    let convolution: MatrixLayer
    /// Channels of the concatenation that the map of full size and each of the others has.
    let full: Range<Int>
    let resized: [Range<Int>]

    private var frozen: (matrices: WinogradMatrices, storage: WeightRegion, bias: WeightRegion)?
    /// (9 · outputs) × channels, in the order filter row, filter column, output.
    private var products: [(matrix: PackedMatrix, storage: WeightRegion)] = []

    init(_ convolution: MatrixLayer, full: Range<Int>, resized: [Range<Int>]) {
        (self.convolution, self.full, self.resized) = (convolution, full, resized)
    }

    mutating func reserve(in freezer: inout Freezer) {
        let total = full.count + resized.reduce(0) { $0 + $1.count }
        frozen = freezer.reserveWinograd(convolution, inputs: full, of: total)
        let (layer, outputs) = (convolution, convolution.outputChannels)
        for range in resized {
            let matrix = PackedMatrix(format: freezer.denseFormat, columns: 9 * outputs, depth: range.count)
            let storage = freezer.reserve(bytes: matrix.byteCount(freezer.kernels))
            products.append((matrix, storage))
            freezer.fill(cost: matrix.columns * matrix.depth) { filling throws in
                try layer.withFolded(from: filling.source) { weights, folding throws in
                    var rows = try [Float](0, count: matrix.columns * matrix.depth)
                    rows.withUnsafeMutableBufferPointer { rows in
                        for output in 0..<outputs {
                            for (channel, input) in range.enumerated() {
                                for tap in 0..<9 {
                                    rows[(tap * outputs + output) * matrix.depth + channel] =
                                        weights[(output * total + input) * 9 + tap]
                                }
                            }
                        }
                    }
                    let scale = folding.columnScale.map { scale in (0..<9).flatMap { _ in scale } }
                    rows.withUnsafeBufferPointer { rows in
                        matrix.pack(
                            rows.baseAddress!, columnScale: scale, bias: [Float](repeating: 0, count: matrix.columns),
                            into: filling.address(storage), kernels: filling.kernels)
                    }
                }
            }
        }
    }

    /// Output positions of a band, about.
    private static let bandPositions = 2048

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let inputs = node.inputs.map { builder.slot(of: $0) }
        let output = builder.output(of: node)
        let size = output.shape.size
        let bands = Partition(
            count: (size.height + 1) / 2, largest: max(1, Self.bandPositions / (2 * size.width)))
        let maps = zip(inputs.dropFirst(), products).map { slot, product in
            ResizedMap(slot.shape, to: size, bands: bands, matrix: product.matrix)
        }
        let rings = maps.map { builder.newBuffer($0.ringShape) }
        let weights = products.map { builder.weights($0.storage) }
        let (matrices, storage, bias) = frozen!
        let (fullWeights, biases) = (builder.weights(storage), builder.weights(bias))
        let activation = convolution.activation
        for band in 0..<bands.parts {
            let parts = zip(maps, zip(inputs.dropFirst(), rings)).enumerated().compactMap { index, part in
                let rows = part.0.newRows[band]
                return rows.isEmpty ? nil : (index: index, rows: rows, input: part.1.0, ring: part.1.1)
            }
            let tilings = parts.map {
                MatrixTiling(
                    rows: $0.rows.count * maps[$0.index].from.width,
                    rowBytes: products[$0.index].matrix.format.rowWords(depth: products[$0.index].matrix.depth)
                        * MemoryLayout<Float>.stride,
                    columns: products[$0.index].matrix.columns, threads: builder.matrixThreads,
                    kernels: builder.kernels)
            }
            if !parts.isEmpty {
                builder.append(
                    node.name, nodes: [], uses: parts.flatMap { [$0.input, $0.ring] }, continues: band > 0
                ) { place in
                    ProductRowsStep(
                        parts: zip(parts, tilings).map { part, tiling in
                            ProductRowsStep.Part(
                                operand: Operand(matrix: products[part.index].matrix), weights: weights[part.index],
                                rows: part.rows, input: place(part.input), ring: place(part.ring), tiling: tiling)
                        })
                }
            }
            let tiling = WinogradTiling(
                size, band: bands[band], threads: builder.matrixThreads, kernels: builder.kernels)
            builder.append(
                node.name, nodes: band == 0 ? node.nodes : [], uses: [inputs[0], output] + rings,
                continues: band > 0 || !parts.isEmpty
            ) { place in
                UpsampledConvolutionStep(
                    matrices: matrices, weights: fullWeights, bias: biases, input: place(inputs[0]),
                    maps: zip(maps, rings).map { ($0, place($1)) }, output: place(output),
                    activation: activation, tiling: tiling)
            }
        }
    }
}

/// How one of the smaller maps reaches the output's size.
struct ResizedMap: Sendable {
    let from: TensorShape
    /// For each output row the rows of the map that it lies between.
    let vertical: [LinearTap]
    /// For each output column what it takes from a row of (position, filter column): three columns, two positions each.
    let horizontal: GatherTable
    /// Rows of the map whose products a band needs and those before it did not.
    private(set) var newRows: [Range<Int>] = []
    /// Nine products as wide as the output, for as many rows as bands need at a time.
    private(set) var ringShape: TensorShape

    /// The map's columns that some output columns and their neighbours lie between.
    func positions(of columns: Range<Int>) -> Range<Int> {
        let last = (columns.upperBound - 1) * horizontal.terms
        let end = horizontal.rows[last..<last + horizontal.terms].max()!
        return Int(horizontal.rows[columns.lowerBound * horizontal.terms]) / 3..<Int(end) / 3 + 1
    }

    init(_ from: TensorShape, to size: ImageSize, bands: Partition, matrix: PackedMatrix) {
        self.from = from
        vertical = LinearTap.taps(from: from.height, to: size.height)
        let columns = LinearTap.taps(from: from.width, to: size.width)
        var table = GatherTable(terms: 6)
        for column in 0..<size.width {
            let taps = (0..<3).filter { columns.indices.contains(column + $0 - 1) }
            table.append(
                taps.flatMap { tap in
                    let position = columns[column + tap - 1]
                    return [
                        (position.first * 3 + tap, 1 - position.weight), (position.second * 3 + tap, position.weight),
                    ]
                })
        }
        horizontal = table
        ringShape = TensorShape(height: 1, width: from.width, channels: matrix.columns)
        var end = 0
        for band in 0..<bands.parts {
            // One row more on either side, for the filter.
            let first = max(0, 2 * bands[band].lowerBound - 1)
            let last = min(size.height - 1, 2 * bands[band].upperBound)
            let needed = vertical[first].first..<vertical[last].second + 1
            newRows.append(min(max(end, needed.lowerBound), needed.upperBound)..<needed.upperBound)
            end = needed.upperBound
            ringShape.height = max(ringShape.height, needed.count)
        }
    }
}

/// Rows of maps times the nine taps of a filter, into rings of rows.
struct ProductRowsStep: Step {
    struct Part: Sendable {
        let operand: Operand
        let weights: Weights
        /// Rows of the map.
        let rows: Range<Int>
        let input: Location
        let ring: Location
        /// Of the rows' positions.
        let tiling: MatrixTiling
    }

    let parts: [Part]

    var taskCount: Int { parts.reduce(0) { $0 + $1.tiling.taskCount } }

    var scratchBytes: Int {
        parts.map { $0.operand.scratchWords(rows: $0.tiling.rows.largest) }.max()! * MemoryLayout<Float>.stride
    }

    var multiplyAdds: Int? {
        parts.reduce(0) {
            $0 + $1.rows.count * $1.input.shape.width * $1.operand.matrix.depth * $1.operand.matrix.columns
        }
    }

    func run(task: Int, _ context: TaskContext) {
        var task = task
        for part in parts {
            guard task >= part.tiling.taskCount else { return run(part, task, context) }
            task -= part.tiling.taskCount
        }
    }

    private func run(_ part: Part, _ task: Int, _ context: TaskContext) {
        let (width, matrix, ringPositions) = (part.input.shape.width, part.operand.matrix, part.ring.shape.tokens)
        let (positions, columns) = (part.tiling.rows(of: task), part.tiling.columns(of: task))
        let start = part.rows.lowerBound * width
        let a = part.operand.load(
            part.input.rows(context), rows: start + positions.lowerBound..<start + positions.upperBound,
            scratch: context.scratchFloats, kernels: context.kernels)
        // In two pieces where the ring closes.
        var done = 0
        while done < positions.count {
            let place = (start + positions.lowerBound + done) % ringPositions
            let count = min(positions.count - done, ringPositions - place)
            matrix.multiply(
                a.advanced(by: done), rows: count, columns: columns, by: part.weights.address,
                into: part.ring.rows(context, from: place), kernels: context.kernels)
            done += count
        }
    }
}

/// A rectangle of tiles of a band of output rows per task: the smaller maps' products are resized, shifted and added up,
/// and the map of full size is convolved on top.
struct UpsampledConvolutionStep: Step {
    let matrices: WinogradMatrices
    let weights: Weights
    let bias: Weights
    let input: Location
    /// The smaller maps, and the rings with their products.
    let maps: [(map: ResizedMap, ring: Location)]
    let output: Location
    let activation: Activation?
    let tiling: WinogradTiling

    var taskCount: Int { tiling.taskCount }

    var multiplyAdds: Int? { matrices.multiplyAdds(tiles: tiling.tileCount) }

    private var outputs: Int { output.shape.channels }
    private var sumStride: Int { Rows.paddedStride(outputs) }
    private var sumFloats: Int { 4 * tiling.largest * sumStride }
    /// A row of a map's products, added up over the filter's rows: width × 3 × outputs.
    private var rowFloats: Int { maps.map { $0.map.from.width * 3 * outputs }.max()! }
    private static let verticalTerms = 6

    var scratchBytes: Int {
        (sumFloats + max(rowFloats, matrices.scratchFloats(tiles: tiling.largest))) * MemoryLayout<Float>.stride
    }

    func run(task: Int, _ context: TaskContext) {
        let (tiles, size) = (tiling[task], output.shape.size)
        let (rows, columns) = (tiles.outputRows(of: size), tiles.outputColumns(of: size))
        let sums = Rows(context.scratchFloats, stride: sumStride)
        let scratch = context.scratchFloats + sumFloats
        for row in rows {
            for index in maps.indices {
                add(
                    index, row: row, columns: columns, to: sums.advanced(by: (row - rows.lowerBound) * columns.count),
                    scratch: scratch, context)
            }
        }
        matrices.convolve(
            input.rows(context), size: size, tiles: tiles, by: weights.address,
            WinogradMatrices.Epilogue(
                bias: bias.floats, activation: activation, residual: (sums, columns.count * sumStride),
                isResidualFirst: true),
            scratch: scratch, into: output.rows(context), kernels: context.kernels)
    }

    /// Adds what a map contributes to some columns of an output row; the first map's is stored.
    private func add(
        _ index: Int, row: Int, columns: Range<Int>, to sums: Rows, scratch: UnsafeMutablePointer<Float>,
        _ context: TaskContext
    ) {
        let (map, ring) = maps[index]
        let rowWidth = 3 * outputs
        let used = map.positions(of: columns)
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: Self.verticalTerms) { x in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.verticalTerms) { weights in
                var terms = 0
                for filterRow in 0..<3 where (0..<output.shape.height).contains(row + filterRow - 1) {
                    let tap = map.vertical[row + filterRow - 1]
                    func source(_ row: Int) -> UnsafePointer<Float> {
                        let place = row % ring.shape.height * map.from.width + used.lowerBound
                        return UnsafePointer(ring.rows(context, from: place).base + filterRow * rowWidth)
                    }
                    (x[terms], weights[terms]) = (source(tap.first), 1 - tap.weight)
                    (x[terms + 1], weights[terms + 1]) = (source(tap.second), tap.weight)
                    terms += 2
                }
                context.kernels.weightedSum(
                    UnsafeMutableBufferPointer(rebasing: x[..<terms]), weights: weights.baseAddress!,
                    stride: ring.stride, rows: used.count, columns: rowWidth,
                    into: Rows(scratch + used.lowerBound * rowWidth, stride: rowWidth))
            }
        }
        context.kernels.gather(
            Rows(scratch, stride: outputs), columns: outputs, map.horizontal, positions: columns,
            accumulates: index > 0, into: sums)
    }
}
