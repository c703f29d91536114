import CETNetGraph
import CETNetKernels

/// Bilinear resize: each output row is a sum of two input rows, then each of its positions a sum of two of that row's.
struct BilinearResizeLayer: Layer {
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let vertical = LinearTap.taps(from: input.shape.height, to: output.shape.height)
        let horizontal = GatherTable(LinearTap.taps(from: input.shape.width, to: output.shape.width))
        let rows = Partition(count: output.shape.height, parts: 4 * builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            BilinearResizeStep(
                vertical: vertical, horizontal: horizontal, input: $0(input), output: $0(output), rows: rows)
        }
    }
}

/// Some output rows per task.
struct BilinearResizeStep: Step {
    let vertical: [LinearTap]
    let horizontal: GatherTable
    let input: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    private var rowStride: Int { CacheLine.floats(input.shape.channels) }

    var scratchBytes: Int { input.shape.width * rowStride * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let (from, channels) = (input.shape, input.shape.channels)
        let row = Rows(context.scratchFloats, stride: rowStride)
        for y in rows[task] {
            let tap = vertical[y]
            context.kernels.interpolate(
                input.rows(context, from: tap.first * from.width), input.rows(context, from: tap.second * from.width),
                weight: tap.weight, rows: from.width, columns: channels, into: row)
            context.kernels.gather(
                row, columns: channels, horizontal, positions: 0..<output.shape.width,
                into: output.rows(context, from: y * output.shape.width))
        }
    }
}

extension KernelSet {
    /// `(1 − weight) · a + weight · b` on `rows` rows of `columns`.
    func interpolate(_ a: Rows, _ b: Rows, weight: Float, rows: Int, columns: Int, into y: Rows) {
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 2) { x in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 2) { weights in
                (x[0], x[1]) = (UnsafePointer(a.base), UnsafePointer(b.base))
                (weights[0], weights[1]) = (1 - weight, weight)
                weightedSum(
                    x, weights: weights.baseAddress!, stride: a.stride, rows: rows, columns: columns, into: y)
            }
        }
    }
}

/// Adaptive average pooling: each output position a mean over a bin.
struct AdaptiveAveragePoolingLayer: Layer {
    let pooling: AdaptiveAveragePooling

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let (pooling, from) = (pooling, input.shape)
        let bins = (0..<pooling.side * pooling.side).map { index in
            let rows = pooling.bin(index / pooling.side, length: from.height)
            let columns = pooling.bin(index % pooling.side, length: from.width)
            let weight = 1 / Float(rows.count * columns.count)
            return rows.flatMap { row in columns.map { (row: row * from.width + $0, weight: weight) } }
        }
        var table = GatherTable(terms: bins.map(\.count).max()!)
        for bin in bins { table.append(bin) }
        let positions = Partition(count: bins.count, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) { [table] in
            AdaptiveAveragePoolingStep(bins: table, input: $0(input), output: $0(output), positions: positions)
        }
    }
}

/// Some bins per task.
struct AdaptiveAveragePoolingStep: Step {
    let bins: GatherTable
    let input: Location
    let output: Location
    let positions: Partition

    var taskCount: Int { positions.parts }

    func run(task: Int, _ context: TaskContext) {
        context.kernels.gather(
            input.rows(context), columns: input.shape.channels, bins, positions: positions[task],
            into: output.rows(context, from: positions[task].lowerBound))
    }
}

/// Zeros to the right and below.
struct ZeroPaddingLayer: Layer {
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let rows = Partition(count: output.shape.height, parts: builder.threads)
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            ZeroPaddingStep(input: $0(input), output: $0(output), rows: rows)
        }
    }
}

struct ZeroPaddingStep: Step {
    let input: Location
    let output: Location
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        let (from, to) = (input.shape, output.shape)
        for row in rows[task] {
            let inside = row < from.height ? from.width : 0
            if inside > 0 {
                context.kernels.pointwise(
                    input.rows(context, from: row * from.width), rows: inside, columns: from.channels, scale: nil,
                    residual: nil, activation: nil, into: output.rows(context, from: row * to.width))
            }
            for column in inside..<to.width {
                output.rows(context, from: row * to.width + column).base.update(repeating: 0, count: to.channels)
            }
        }
    }
}
