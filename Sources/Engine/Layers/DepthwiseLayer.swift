import CETNetGraph
import CETNetKernels
import CKernels

/// A depthwise convolution with the BatchNorm and activation behind it. A class token may go around it.
struct DepthwiseLayer: Layer {
    let convolution: Convolution
    var batchNorm: BatchNorm?
    var activation: Activation?

    /// kernel × kernel × channels, and one bias per channel.
    private var weights = WeightRegion(), bias = WeightRegion()

    init(_ convolution: Convolution) { self.convolution = convolution }

    mutating func reserve(in freezer: inout Freezer) {
        let (channels, taps) = (convolution.outputChannels, convolution.kernel * convolution.kernel)
        weights = freezer.reserve(floats: channels * taps)
        bias = freezer.reserve(floats: channels)
        let layer = self
        freezer.fill(cost: channels * taps) { filling throws in
            let folding = try Folding(layer, source: filling.source)
            var values = try filling.source.values(layer.convolution.weight)
            if let scale = folding.columnScale {
                for index in values.indices { values[index] *= scale[index / taps] }
            }
            // (channels, taps) to (taps, channels).
            cetnet_planes_to_positions(values, taps, channels, 0, taps, filling.floats(layer.weights))
            filling.floats(layer.bias).update(from: folding.bias, count: channels)
        }
    }

    func draft(_ node: FusedNode, in builder: inout PlanBuilder) {
        let (input, output) = (builder.slot(of: node.input), builder.output(of: node))
        let token = node.inputs.count > 1 ? builder.slot(of: node.inputs[1]) : nil
        let geometry = ConvolutionGeometry(convolution, from: input.shape, to: output.shape)
        let rows = Partition(unevenRows: geometry.outputHeight, threads: builder.threads)
        let (weights, bias, activation) = (builder.weights(weights), builder.weights(bias), activation)
        builder.append(node.name, nodes: node.nodes, uses: [input, output] + (token.map { [$0] } ?? [])) {
            DepthwiseStep(
                weights: weights, bias: bias, geometry: geometry, activation: activation, input: $0(input),
                output: $0(output), classToken: token.map($0), rows: rows)
        }
    }
}

/// Some output rows of a depthwise convolution per task.
struct DepthwiseStep: Step {
    let weights: Weights
    let bias: Weights
    let geometry: ConvolutionGeometry
    let activation: Activation?
    let input: Location
    let output: Location
    /// The value whose class token follows the output's map.
    let classToken: Location?
    let rows: Partition

    var taskCount: Int { rows.parts }

    func run(task: Int, _ context: TaskContext) {
        geometry.depthwise(
            input.rows(context), weights: weights.floats, bias: bias.floats, activation: activation,
            outputRows: rows[task], into: output.rows(context), kernels: context.kernels)
        if task == 0, let classToken {
            output.rows(context, from: output.shape.tokens - 1).base.update(
                from: classToken.rows(context, from: classToken.shape.tokens - 1).base, count: output.shape.channels)
        }
    }
}

/// The geometry of a convolution at one input size.
package struct ConvolutionGeometry: Sendable {
    package var kernel: Int
    package var stride: Int
    package var padding: Int
    package var channels: Int
    package var inputHeight: Int
    package var inputWidth: Int
    package var outputHeight: Int
    package var outputWidth: Int

    package init(kernel: Int, stride: Int, padding: Int, from: TensorShape, to: TensorShape) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        channels = from.channels
        (inputHeight, inputWidth) = (from.height, from.width)
        (outputHeight, outputWidth) = (to.height, to.width)
    }

    init(_ convolution: Convolution, from: TensorShape, to: TensorShape) {
        self.init(
            kernel: convolution.kernel, stride: convolution.stride, padding: convolution.padding, from: from, to: to)
    }

    /// Numbers in one receptive field.
    package var depth: Int { kernel * kernel * channels }

    /// Rows of the input map that the receptive fields of some output positions reach.
    func inputRows(of positions: Range<Int>) -> Range<Int> {
        let first = max(0, positions.lowerBound / outputWidth * stride - padding)
        let end = (positions.upperBound - 1) / outputWidth * stride - padding + kernel
        return first..<max(first, min(inputHeight, end))
    }

    /// The most input rows that the receptive fields of `count` output positions reach.
    func mostInputRows(positions count: Int) -> Int {
        min(inputHeight, (count + outputWidth - 2) / outputWidth * stride + kernel)
    }

    /// Copies the receptive fields of output positions `positions`, one per row of `columns`.
    /// - Parameter x: the input map, a row per position.
    package func im2col(_ x: Rows, positions: Range<Int>, into columns: Rows, kernels: KernelSet) {
        var arguments = cetnet_im2col(
            x: x.base, x_stride: x.stride, height: inputHeight, width: inputWidth, channels: channels, kernel: kernel,
            stride: stride, padding: padding, output_width: outputWidth, first: positions.lowerBound,
            count: positions.count, columns: columns.base, columns_stride: columns.stride)
        kernels.functions.pointee.im2col(&arguments)
    }

    /// Depthwise convolution of some output rows.
    /// - Parameters:
    ///   - x: the input map, a row per position.
    ///   - weights: kernel × kernel × channels.
    ///   - bias: one value per channel.
    ///   - y: the output map, a row per position.
    package func depthwise(
        _ x: Rows, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: Activation?,
        outputRows: Range<Int>, into y: Rows, kernels: KernelSet
    ) {
        var arguments = cetnet_depthwise(
            x: x.base, x_stride: x.stride, height: inputHeight, width: inputWidth, channels: channels,
            weights: weights, bias: bias, kernel: kernel, stride: stride, padding: padding,
            activation: activation.kernel,
            first_row: outputRows.lowerBound, end_row: outputRows.upperBound, y: y.base, y_stride: y.stride,
            output_width: outputWidth)
        kernels.functions.pointee.depthwise(&arguments)
    }
}
