/// A two-dimensional convolution, `torch.nn.Conv2d`. Padding is with zeros and the same on both sides.
public struct Convolution: OperatorDefinition {
    public var inputChannels: Int
    public var outputChannels: Int
    /// Side of the square filter.
    public var kernel: Int
    public var stride: Int
    public var padding: Int
    /// 1 for a dense convolution, `inputChannels` for a depthwise one.
    public var groups: Int
    /// Shape `(outputChannels, inputChannels / groups, kernel, kernel)`.
    public var weight: Parameter
    /// Shape `(outputChannels)`.
    public var bias: Parameter?

    /// A convolution whose tensors are `name.weight` and, if asked for, `name.bias`.
    public init(
        name: String, inputChannels: Int, outputChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        groups: Int = 1, bias: Bool
    ) {
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.groups = groups
        weight = Parameter(
            name: name + ".weight", shape: [outputChannels, inputChannels / groups, kernel, kernel], role: .weight)
        self.bias = bias ? Parameter(name: name + ".bias", shape: [outputChannels], role: .bias) : nil
    }

    public var isDepthwise: Bool { groups == inputChannels && groups == outputChannels && groups > 1 }
    /// A 1×1 convolution of stride 1: a linear layer on every position.
    public var isPointwise: Bool { kernel == 1 && stride == 1 && padding == 0 && groups == 1 }

    /// Size of the output for an input of `size`: `⌊(n + 2·padding − kernel) / stride⌋ + 1` on each axis.
    public func outputSize(_ size: ImageSize) -> ImageSize {
        func output(_ n: Int) -> Int { (n + 2 * padding - kernel) / stride + 1 }
        return ImageSize(height: output(size.height), width: output(size.width))
    }

    public var name: String { isDepthwise ? "depthwise convolution" : "convolution" }

    public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, channels: inputChannels, inputs)
        let size = outputSize(inputs[0].size)
        return TensorShape(height: size.height, width: size.width, channels: outputChannels)
    }

    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int {
        output.count * (inputChannels / groups) * kernel * kernel
    }
}
