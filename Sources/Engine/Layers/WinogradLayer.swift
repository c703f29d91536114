import CETNetGraph
import CETNetKernels

/// A dense 3×3 convolution of stride 1 and padding 1 by Winograd's F(2×2, 3×3), with the pointwise operators around it.
struct WinogradLayer: Layer {
    /// The convolution and what joined it.
    let convolution: MatrixLayer
    let channels: Int

    private var frozen: (matrices: WinogradMatrices, storage: WeightRegion, bias: WeightRegion)?

    /// - Parameter convolution: one that ``fits(_:)``.
    init(_ convolution: MatrixLayer, channels: Int) {
        (self.convolution, self.channels) = (convolution, channels)
    }

    static func fits(_ convolution: Convolution) -> Bool {
        convolution.kernel == 3 && convolution.stride == 1 && convolution.padding == 1 && convolution.groups == 1
    }

    mutating func reserve(in freezer: inout Freezer) {
        frozen = freezer.reserveWinograd(convolution, inputs: 0..<channels, of: channels)
    }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, residual) = (builder.slot(of: node.input), node.residual.map { builder.slot(of: $0) })
        // A task reads its neighbours' part of the input, but only its own of the residual.
        let replaced = node.residual.flatMap { builder.share($0, node.input) ? nil : $0 }
        let output = builder.output(of: node, replacing: replaced)
        let (matrices, storage, bias) = frozen!
        let (weights, biases) = (builder.weights(storage), builder.weights(bias))
        let (activation, residualFirst) = (convolution.activation, convolution.residualFirst)
        let tiling = WinogradTiling(output.shape.size, threads: builder.matrixThreads, kernels: builder.kernels)
        builder.append(node.name, nodes: node.nodes, uses: [input, output] + (residual.map { [$0] } ?? [])) {
            WinogradStep(
                matrices: matrices, weights: weights, bias: biases, input: $0(input), output: $0(output),
                residual: residual.map($0), residualFirst: residualFirst, activation: activation, tiling: tiling)
        }
    }
}

/// A rectangle of tiles per task.
struct WinogradStep: Step {
    let matrices: WinogradMatrices
    let weights: Weights
    let bias: Weights
    let input: Location
    let output: Location
    let residual: Location?
    let residualFirst: Bool
    let activation: Activation?
    let tiling: WinogradTiling

    var taskCount: Int { tiling.taskCount }

    var scratchBytes: Int { matrices.scratchFloats(tiles: tiling.largest) * MemoryLayout<Float>.stride }

    var multiplyAdds: Int? { matrices.multiplyAdds(tiles: tiling.tileCount) }

    func run(task: Int, _ context: TaskContext) {
        let (tiles, size) = (tiling[task], output.shape.size)
        let first = tiles.outputRows(of: size).lowerBound * size.width + tiles.outputColumns(of: size).lowerBound
        matrices.convolve(
            input.rows(context), size: size, tiles: tiles, by: weights.address,
            WinogradMatrices.Epilogue(
                bias: bias.floats, activation: activation,
                residual: residual.map { ($0.rows(context, from: first), size.width * $0.stride) },
                isResidualFirst: residualFirst),
            scratch: context.scratchFloats, into: output.rows(context), kernels: context.kernels)
    }
}

extension WinogradMatrices {
    /// Multiply-adds of the matrix products for a number of tiles.
    func multiplyAdds(tiles: Int) -> Int { 16 * tiles * matrix.depth * matrix.columns }
}

extension Freezer {
    /// Reserves a convolution's weights for some of its inputs, and its biases.
    /// - Parameters:
    ///   - layer: a convolution that Winograd's way fits.
    ///   - total: the convolution's inputs.
    mutating func reserveWinograd(
        _ layer: MatrixLayer, inputs: Range<Int>, of total: Int
    ) -> (matrices: WinogradMatrices, storage: WeightRegion, bias: WeightRegion) {
        let matrices = WinogradMatrices(
            format: denseFormat, inputs: inputs.count, outputs: layer.outputChannels)
        let storage = reserve(bytes: matrices.byteCount(kernels))
        let bias = reserve(floats: layer.outputChannels)
        fill(cost: 16 * inputs.count * layer.outputChannels) { filling throws in
            try layer.withFolded(from: filling.source) { weights, folding throws in
                try matrices.pack(
                    weights.baseAddress!, inputsOfAll: total, first: inputs.lowerBound,
                    columnScale: folding.columnScale, into: filling.address(storage), kernels: filling.kernels)
                filling.floats(bias).update(from: folding.bias, count: folding.bias.count)
            }
        }
        return (matrices, storage, bias)
    }

    /// What dense convolutions are stored in that gain from it.
    var denseFormat: WeightFormat { precision == .float32 ? format : .bfloat16 }
}
