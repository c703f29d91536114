import CETNetCheckpoint
import CETNetGraph
import CETNetKernels
import CKernels

/// A linear layer or dense convolution together with the pointwise operators around it:
/// `activation(W · LayerNorm(x) + b) + residual`, or `activation(W · x + b + residual)`, with BatchNorm already part of
/// W and b.
struct MatrixLayer: Layer {
    enum Kind: Sendable {
        case linear(Linear)
        case convolution(Convolution)
    }

    var kind: Kind
    /// BatchNorm behind a convolution, folded into its weights.
    var batchNorm: BatchNorm?
    /// LayerNorm in front of a linear layer; its affine part is folded into the weights, the normalisation itself is
    /// done while loading.
    var layerNorm: LayerNorm?
    /// Whether the linear layer reads 2×2 neighbours of its input side by side, normalised together: patch merging.
    var gathersPatches = false
    var activation: Activation?
    /// Whether the residual is added before the activation instead of after it.
    var residualFirst = false
    /// Set for the projection in front of attention: the first `channels` outputs are queries and are scaled.
    var queryScale: (channels: Int, factor: Float)?

    private(set) var packed: (matrix: PackedMatrix, region: WeightRegion)?

    init(_ kind: Kind) { self.kind = kind }

    var outputChannels: Int {
        switch kind {
        case .linear(let linear): linear.outputChannels
        case .convolution(let convolution): convolution.outputChannels
        }
    }

    /// Numbers that one output is a sum over.
    var depth: Int {
        switch kind {
        case .linear(let linear): linear.inputChannels
        case .convolution(let convolution):
            convolution.inputChannels / convolution.groups * convolution.kernel * convolution.kernel
        }
    }

    var weight: Parameter {
        switch kind {
        case .linear(let linear): linear.weight
        case .convolution(let convolution): convolution.weight
        }
    }

    var bias: Parameter? {
        switch kind {
        case .linear(let linear): linear.bias
        case .convolution(let convolution): convolution.bias
        }
    }

    var matrices: [MatrixLayer] { [self] }

    // MARK: Weights

    /// float32 also for a 3×3 convolution of the image: with 27 products an output, converting costs more than it saves.
    /// - Parameter float32: how matrices of float32 are stored.
    func format(in precision: Precision, float32: WeightFormat) -> WeightFormat {
        switch (precision, kind) {
        case (.float32, _): float32
        case (_, .convolution(let convolution)) where convolution.inputChannels == 3 && convolution.kernel == 3:
            float32
        case (.bfloat16, _), (.int8, .convolution): .bfloat16
        case (.int8, .linear): .int8
        }
    }

    mutating func reserve(in freezer: inout Freezer) {
        let matrix = PackedMatrix(
            format: format(in: freezer.precision, float32: freezer.format), columns: outputChannels, depth: depth)
        let region = freezer.reserve(bytes: matrix.byteCount(freezer.kernels))
        packed = (matrix, region)
        let (layer, isQuantized) = (self, freezer.isQuantized && matrix.format.isConverted)
        freezer.fill(cost: matrix.columns * matrix.depth) { filling throws in
            guard !isQuantized else { return try layer.fillQuantized(filling) }
            try layer.withMatrix(from: filling.source) { values in
                let folding = try Folding(layer, weights: values, source: filling.source)
                matrix.pack(
                    values.baseAddress!, columnScale: folding.columnScale, depthScale: folding.depthScale,
                    bias: folding.bias, into: filling.address(region), kernels: filling.kernels)
            }
        }
    }

    /// Lends a convolution's weights as they are in the file, outputs × inputs × kernel × kernel, and what they are to be
    /// folded with.
    func withFolded(
        from source: any TensorSource, _ body: (UnsafeBufferPointer<Float>, Folding) throws -> Void
    ) throws {
        guard case .convolution(let convolution) = kind else { preconditionFailure("no convolution") }
        try source.withValues(of: convolution.weight.name) { weights throws in
            try body(weights, try Folding(self, weights: weights, source: source))
        }
    }

    /// Lends the weights as a matrix, outputs × depth; for a convolution the depth runs over (filter row, filter column,
    /// channel), and so it does for 2×2 neighbours read side by side.
    func withMatrix(
        from source: any TensorSource, _ body: (UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        switch kind {
        case .linear(let linear) where gathersPatches:
            try source.withValues(of: linear.weight.name) { original in
                let moved = PatchOrder.byRows(original, channels: linear.inputChannels / 4)
                try moved.withUnsafeBufferPointer(body)
            }
        case .linear(let linear):
            try source.withValues(of: linear.weight.name, body)
        case .convolution(let convolution):
            try source.withValues(of: convolution.weight.name) { original in
                let taps = convolution.kernel * convolution.kernel
                guard taps > 1 else { return try body(original) }
                var moved = try [Float](0, count: original.count)
                for output in 0..<convolution.outputChannels {
                    moved.withUnsafeMutableBufferPointer {
                        cetnet_planes_to_positions(
                            original.baseAddress! + output * depth, taps, depth / taps, 0, taps,
                            $0.baseAddress! + output * depth)
                    }
                }
                try moved.withUnsafeBufferPointer(body)
            }
        }
    }

    // MARK: Steps

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        // A task reads more of its input than it writes, unless the input's tokens are used as they are.
        let replaced = node.residual.flatMap { builder.share($0, node.input) ? nil : $0 }
        draft(
            node.name, nodes: node.nodes, input: builder.slot(of: node.input),
            residual: node.residual.map { builder.slot(of: $0) },
            output: { $0.output(of: node, replacing: packed!.matrix.format.canReplaceResidual ? replaced : nil) },
            in: &builder)
    }

    /// Drafts the step that computes the layer from one place into another.
    func draft(
        _ name: String, nodes: [Int], input: PlanBuilder.Slot, residual: PlanBuilder.Slot?,
        output: (inout PlanBuilder) -> PlanBuilder.Slot, in builder: inout PlanBuilder
    ) {
        let (matrix, region) = packed!
        let output = output(&builder)
        let operand = operand(from: input.shape, to: output.shape)
        let weights = builder.weights(region)
        let tiling = MatrixTiling(
            rows: output.shape.tokens,
            rowBytes: matrix.format.rowWords(depth: matrix.depth) * MemoryLayout<Float>.stride, columns: matrix.columns,
            threads: builder.matrixThreads, kernels: builder.kernels)
        let (activation, residualFirst) = (activation, residualFirst)
        builder.append(name, nodes: nodes, uses: [input, output] + (residual.map { [$0] } ?? [])) {
            MatrixStep(
                operand: operand, weights: weights, input: $0(input), output: $0(output),
                residual: residual.map($0), residualFirst: residualFirst, activation: activation, tiling: tiling)
        }
    }

    /// The matrix and its storage, for layers that compute more than one in a step.
    func weights(in builder: PlanBuilder) -> (matrix: PackedMatrix, storage: Weights) {
        (packed!.matrix, builder.weights(packed!.region))
    }

    private func operand(from: TensorShape, to: TensorShape) -> Operand {
        let gathering: ConvolutionGeometry? =
            switch kind {
            case .linear where gathersPatches: ConvolutionGeometry(kernel: 2, stride: 2, padding: 0, from: from, to: to)
            case .convolution(let convolution) where !convolution.isPointwise:
                ConvolutionGeometry(convolution, from: from, to: to)
            case .linear, .convolution: nil
            }
        return Operand(gathering: gathering, epsilon: layerNorm?.epsilon, matrix: packed!.matrix)
    }
}

/// The tiles of a matrix product, a block of rows at a time, which come from the input as its operand says.
struct MatrixStep: Step {
    let operand: Operand
    let weights: Weights
    let input: Location
    let output: Location
    let residual: Location?
    let residualFirst: Bool
    let activation: Activation?
    let tiling: MatrixTiling

    var taskCount: Int { tiling.taskCount }

    var scratchBytes: Int { operand.scratchWords(rows: tiling.rows.largest) * MemoryLayout<Float>.stride }

    func run(task: Int, _ context: TaskContext) {
        let rows = tiling.rows(of: task)
        let a = operand.load(
            input.rows(context), rows: rows, scratch: context.scratchFloats, kernels: context.kernels)
        operand.matrix.multiply(
            a, rows: rows.count, columns: tiling.columns(of: task), by: weights.address,
            PackedMatrix.Epilogue(
                activation: activation, residual: residual?.rows(context, from: rows.lowerBound),
                isResidualFirst: residualFirst),
            into: output.rows(context, from: rows.lowerBound), kernels: context.kernels)
    }
}

/// The order of 2×2 neighbours. Patch merging has them column by column, (0,0), (1,0), (0,1), (1,1) as (row, column);
/// im2col gathers them row by row, and what is multiplied with them is put in that order once, at freezing.
enum PatchOrder {
    /// Rows of 4 · `channels` numbers with the second and the third quarter of each exchanged.
    static func byRows<Element>(_ values: UnsafeBufferPointer<Element>, channels: Int) -> [Element] {
        var moved = Array(values)
        for row in stride(from: 0, to: values.count, by: 4 * channels) {
            for channel in row..<row + channels {
                moved[channel + channels] = values[channel + 2 * channels]
                moved[channel + 2 * channels] = values[channel + channels]
            }
        }
        return moved
    }
}

extension KernelSet {
    /// LayerNorm of `rows` rows of `channels`; see `normalization.h` for the formula.
    /// - Parameters weight, bias: `channels` values each, or both `nil` for 1 and 0.
    package func layerNorm(
        _ x: Rows, rows: Int, channels: Int, epsilon: Float, weight: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, into y: Rows
    ) {
        var arguments = cetnet_layer_norm(
            x: x.base, x_stride: x.stride, rows: rows, channels: channels, epsilon: epsilon, weight: weight,
            bias: bias, y: y.base, y_stride: y.stride)
        functions.pointee.layer_norm(&arguments)
    }
}
