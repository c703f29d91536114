import CKernels

/// The geometry of a convolution at one input size.
package struct ConvolutionGeometry: Sendable {
    package var inputHeight: Int
    package var inputWidth: Int
    package var channels: Int
    package var kernel: Int
    package var stride: Int
    package var padding: Int
    package var outputHeight: Int
    package var outputWidth: Int

    package init(
        inputHeight: Int, inputWidth: Int, channels: Int, kernel: Int, stride: Int, padding: Int, outputHeight: Int,
        outputWidth: Int
    ) {
        self.inputHeight = inputHeight
        self.inputWidth = inputWidth
        self.channels = channels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.outputHeight = outputHeight
        self.outputWidth = outputWidth
    }

    /// Numbers in one receptive field.
    package var depth: Int { kernel * kernel * channels }

    /// Copies the receptive fields of output positions `positions`, one per row of `columns`.
    /// - Parameter x: the input map, a row per position.
    package func im2col(_ x: Rows, positions: Range<Int>, into columns: Rows, kernels: KernelSet) {
        var arguments = cetnet_im2col(
            x: x.base, x_stride: x.stride, height: inputHeight, width: inputWidth, channels: channels, kernel: kernel, stride: stride,
            padding: padding, output_width: outputWidth, first: positions.lowerBound, count: positions.count,
            columns: columns.base, columns_stride: columns.stride)
        kernels.functions.pointee.im2col(&arguments)
    }

    /// Depthwise convolution of some output rows.
    /// - Parameters:
    ///   - x: the input map, a row per position.
    ///   - weights: kernel × kernel × channels.
    ///   - bias: one value per channel.
    ///   - y: the output map, a row per position.
    package func depthwise(
        _ x: Rows, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: ActivationKind,
        outputRows: Range<Int>, into y: Rows, kernels: KernelSet
    ) {
        var arguments = cetnet_depthwise(
            x: x.base, x_stride: x.stride, height: inputHeight, width: inputWidth, channels: channels,
            weights: weights, bias: bias, kernel: kernel, stride: stride, padding: padding,
            activation: activation.rawValue, first_row: outputRows.lowerBound, end_row: outputRows.upperBound,
            y: y.base, y_stride: y.stride, output_width: outputWidth)
        kernels.functions.pointee.depthwise(&arguments)
    }
}
