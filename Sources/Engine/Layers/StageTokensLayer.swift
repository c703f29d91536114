import CETNetGraph
import CETNetKernels
import CETNetMemory

/// What a stage's blocks start from: embedded tokens with what is added to them, `LayerNorm(x)`, a class token behind
/// it, and position embeddings on all.
struct StageTokensLayer: Layer {
    /// `nil` where tokens are taken as they are.
    var layerNorm: LayerNormLayer?
    var classToken: ClassToken?
    var positions: PositionEmbedding?
    private var tokenRegion: WeightRegion?
    /// One vector per position of the trained grid, the class token's last.
    private var positionsRegion: WeightRegion?

    init(_ norm: LayerNorm?) { layerNorm = norm.map(LayerNormLayer.init) }

    mutating func reserve(in freezer: inout Freezer) {
        layerNorm?.reserve(in: &freezer)
        tokenRegion = classToken.map { freezer.reserve($0.parameter) }
        guard let positions else { return }
        let region = freezer.reserve(floats: positions.parameter.count)
        positionsRegion = region
        freezer.fill(cost: positions.parameter.count) { filling throws in
            // From the class token first to the class token last, as tokens are.
            let values = try filling.source.values(positions.parameter)
            let front = positions.classTokens * positions.channels
            let destination = filling.floats(region)
            for index in values.indices {
                destination[index < front ? values.count - front + index : index - front] = values[index]
            }
        }
    }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) throws(OutOfMemoryError) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let norm = layerNorm.map { (weights: $0.weights(in: builder), epsilon: $0.norm.epsilon) }
        let token = tokenRegion.map { builder.weights($0) }
        let table =
            if let positions {
                try PositionTable(
                    positions, trained: builder.weights(positionsRegion!).floats, size: output.shape.size)
            } else { nil as PositionTable? }
        // A few rows at a time are still in the cache when their positions are added.
        let rows = Partition(
            count: input.shape.tokens, parts: max(4 * builder.threads, input.shape.count / CacheBudget.addedRowFloats))
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            StageTokensStep(
                norm: norm, classToken: token, positions: table, input: $0(input), output: $0(output), rows: rows)
        }
    }
}

/// `LayerNorm(x) + positions` for some tokens of the map per task, then the class token with its own position.
struct StageTokensStep: Step {
    let norm: (weights: (scale: Weights, shift: Weights), epsilon: Float)?
    let classToken: Weights?
    /// One vector per token of the output.
    let positions: PositionTable?
    let input: Location
    let output: Location
    let rows: Partition

    /// The last task is the class token.
    var taskCount: Int { rows.parts + output.shape.classTokens }

    func run(task: Int, _ context: TaskContext) {
        let channels = output.shape.channels
        let range = task < rows.parts ? rows[task] : input.shape.tokens..<output.shape.tokens
        let y = output.rows(context, from: range.lowerBound)
        if task == rows.parts {
            y.base.update(from: classToken!.floats, count: channels)
        } else if let norm {
            context.kernels.layerNorm(
                input.rows(context, from: range.lowerBound), rows: range.count, channels: channels,
                epsilon: norm.epsilon, weight: norm.weights.scale.floats, bias: norm.weights.shift.floats, into: y)
        } else {
            context.kernels.pointwise(
                input.rows(context, from: range.lowerBound), rows: range.count, columns: channels, scale: nil,
                residual: nil, activation: nil, into: y)
        }
        if let positions {
            context.kernels.pointwise(
                y, rows: range.count, columns: channels, scale: nil,
                residual: positions.rows(from: range.lowerBound), activation: nil, into: y)
        }
    }
}

/// Position embeddings for the tokens of one map size, the class token's vector last.
final class PositionTable: @unchecked Sendable {
    // Written by the initialiser only.
    private let values: UnsafePointer<Float>
    private let channels: Int
    /// Holds the values, unless they are the trained ones.
    private let memory: HugePageMemory?

    /// - Parameter trained: grid.area × channels, then the class token's vector; must outlive the table.
    init(
        _ embedding: PositionEmbedding, trained: UnsafePointer<Float>, size: ImageSize
    ) throws(OutOfMemoryError) {
        let channels = embedding.channels
        self.channels = channels
        guard size != embedding.grid else {
            (values, memory) = (trained, nil)
            return
        }
        let count = (size.area + embedding.classTokens) * channels
        let memory = try HugePageMemory(bytes: count * MemoryLayout<Float>.stride)
        self.memory = memory
        var output = memory.base.bindMemory(to: Float.self, capacity: count)
        values = UnsafePointer(output)
        let rows = LinearTap.taps(from: embedding.grid.height, to: size.height)
        let columns = LinearTap.taps(from: embedding.grid.width, to: size.width)
        for row in rows {
            for column in columns {
                func vector(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
                    trained + (row * embedding.grid.width + column) * channels
                }
                let (a, b) = (vector(row.first, column.first), vector(row.first, column.second))
                let (c, d) = (vector(row.second, column.first), vector(row.second, column.second))
                for channel in 0..<channels {
                    let upper = a[channel] + column.weight * (b[channel] - a[channel])
                    let lower = c[channel] + column.weight * (d[channel] - c[channel])
                    output[channel] = upper + row.weight * (lower - upper)
                }
                output += channels
            }
        }
        if embedding.classTokens > 0 {
            output.update(from: trained + embedding.grid.area * channels, count: channels)
        }
    }

    func rows(from first: Int) -> Rows {
        Rows(UnsafeMutablePointer(mutating: values) + first * channels, stride: channels)
    }
}

/// Copies the class token out of a value.
struct TakeClassTokenLayer: Layer {
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        builder.append(node.name, nodes: node.nodes, uses: [input, output]) {
            TakeClassTokenStep(input: $0(input), output: $0(output))
        }
    }
}

struct TakeClassTokenStep: Step {
    let input: Location
    let output: Location

    var taskCount: Int { 1 }

    func run(task: Int, _ context: TaskContext) {
        let token = input.rows(context, from: input.shape.tokens - 1)
        output.pointer(context).update(from: token.base, count: input.shape.channels)
    }
}
