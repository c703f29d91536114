/// A pointwise non-linearity.
public enum Activation: String, Sendable, Hashable {
    /// `x · Φ(x)` with the exact normal distribution function (the `erf` form, not the `tanh` approximation).
    case gelu
    /// `x · sigmoid(1.702 x)`.
    case quickGELU = "quick_gelu"
    /// `max(x, 0)`.
    case relu
    /// `1 / (1 + exp(−x))`.
    case sigmoid

    /// The field's name for it, as tables print it.
    public var name: String {
        switch self {
        case .gelu: "GELU"
        case .quickGELU: "QuickGELU"
        case .relu: "ReLU"
        case .sigmoid: "sigmoid"
        }
    }
}

/// A two-dimensional convolution, `torch.nn.Conv2d`. Padding is with zeros and the same on both sides.
public struct Convolution: Sendable, Hashable {
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
}

/// `torch.nn.BatchNorm2d` with its running statistics.
public struct BatchNorm: Sendable, Hashable {
    public var channels: Int
    public var epsilon: Float
    public var weight: Parameter
    public var bias: Parameter
    public var runningMean: Parameter
    public var runningVariance: Parameter

    public init(name: String, channels: Int, epsilon: Float = 1e-5) {
        self.channels = channels
        self.epsilon = epsilon
        weight = Parameter(name: name + ".weight", shape: [channels], role: .scale)
        bias = Parameter(name: name + ".bias", shape: [channels], role: .bias)
        runningMean = Parameter(name: name + ".running_mean", shape: [channels], role: .runningMean)
        runningVariance = Parameter(name: name + ".running_var", shape: [channels], role: .runningVariance)
    }
}

/// `torch.nn.LayerNorm` over the channels of each token.
public struct LayerNorm: Sendable, Hashable {
    public var channels: Int
    public var epsilon: Float
    public var weight: Parameter
    public var bias: Parameter

    public init(name: String, channels: Int, epsilon: Float = 1e-5) {
        self.channels = channels
        self.epsilon = epsilon
        weight = Parameter(name: name + ".weight", shape: [channels], role: .scale)
        bias = Parameter(name: name + ".bias", shape: [channels], role: .bias)
    }
}

/// `torch.nn.Linear` applied to each token: `y = x Wᵀ + b`.
public struct Linear: Sendable, Hashable {
    public var inputChannels: Int
    public var outputChannels: Int
    /// Shape `(outputChannels, inputChannels)`.
    public var weight: Parameter
    /// Shape `(outputChannels)`.
    public var bias: Parameter?

    public init(name: String, inputChannels: Int, outputChannels: Int, bias: Bool = true) {
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        weight = Parameter(name: name + ".weight", shape: [outputChannels, inputChannels], role: .weight)
        self.bias = bias ? Parameter(name: name + ".bias", shape: [outputChannels], role: .bias) : nil
    }
}

/// Multi-head self-attention inside shifted windows (W-MSA and SW-MSA of the Swin Transformer, arXiv 2103.14030,
/// section 3.2), between the `qkv` projection and the output projection.
///
/// Input: the projected tokens, `3 · channels` wide: queries, keys, values, heads contiguous inside each.
/// Output: `channels` wide. Scores are scaled by `(channels / heads)^-0.5`; the relative position bias is added;
/// a shifted window masks pairs from different regions of the map with −100.
///
/// The map is padded with zeros to whole windows *before* the projection, so a padded token's query, key and value
/// are the projection's bias; padded tokens are keys like all others.
public struct WindowAttention: Sendable, Hashable {
    public var channels: Int
    public var heads: Int
    /// Side w of the square window, in tokens.
    public var windowSize: Int
    /// Cyclic shift of the map in tokens, asked for on both axes: `⌊w/2⌋` in every second block, else 0. An axis
    /// whose padded size is not larger than the window is not shifted.
    public var shift: Int
    /// Shape `((2w−1)², heads)`, row `(Δrow + w − 1)·(2w − 1) + (Δcolumn + w − 1)`, Δ = query − key.
    public var relativePositionBiasTable: Parameter
    /// Bias of the projection before it: what padded tokens hold. Shape `(3 · channels)`.
    public var qkvBias: Parameter

    public init(name: String, channels: Int, heads: Int, windowSize: Int, shift: Int) {
        self.channels = channels
        self.heads = heads
        self.windowSize = windowSize
        self.shift = shift
        let side = 2 * windowSize - 1
        relativePositionBiasTable = Parameter(
            name: name + ".relative_position_bias_table", shape: [side * side, heads], role: .positionBias)
        qkvBias = Parameter(name: name + ".qkv.bias", shape: [3 * channels], role: .bias)
    }

    /// Channels of one head.
    public var headDimension: Int { channels / heads }
}

/// What a node computes. Shapes are those of one image (see ``TensorShape``).
public enum Operator: Sendable, Hashable {
    /// The image itself: three channels.
    case input
    case convolution(Convolution)
    case batchNorm(BatchNorm)
    case layerNorm(LayerNorm)
    case linear(Linear)
    case activation(Activation)
    /// The sum of its two inputs, which have the same shape.
    case add
    case windowAttention(WindowAttention)
    /// Inputs: queries; keys and values, packed into one value or as two.
    case globalAttention(GlobalAttention)
    case crossShapedAttention(CrossShapedAttention)
    /// Its input with a trained class token behind it.
    case appendClassToken(ClassToken)
    /// Its first input with the class token of the second behind it.
    case carryClassToken
    /// The class token of its input; the output is 1×1.
    case takeClassToken
    /// Its input plus one trained vector per token.
    case positionEmbedding(PositionEmbedding)
    /// All its inputs side by side: the channels of the first, then those of the second, and so on.
    case concatenation
    /// Neighbouring channels of its input.
    case channelSlice(Range<Int>)
    /// The channels of its two inputs in turn, a0, b0, a1, b1, …: what a channel shuffle of two groups (ShuffleNet,
    /// arXiv 1707.01083, section 3.1) makes of their concatenation.
    case channelShuffle
    /// Its first input, each channel multiplied by that channel of the second, which is 1×1.
    case channelScale
    /// The 2×2 neighbours of each second position side by side, in the order (0,0), (1,0), (0,1), (1,1) as (row, column);
    /// beyond the map's edge they are zero. The gathering of Swin's patch merging (arXiv 2103.14030, section 3.1).
    ///
    ///     H×W×C → ⌈H/2⌉×⌈W/2⌉×4C
    case patchGathering
    /// The mean over all tokens; the output is 1×1.
    case meanOverTokens

    /// The field's name for the operator, as tables print it.
    public var name: String {
        switch self {
        case .input: "input"
        case .convolution(let convolution):
            convolution.isDepthwise ? "depthwise convolution" : "convolution"
        case .batchNorm: "batch norm"
        case .layerNorm: "layer norm"
        case .linear: "linear"
        case .activation(let activation): activation.name
        case .add: "add"
        case .windowAttention: "window attention"
        case .globalAttention: "global attention"
        case .crossShapedAttention: "cross-shaped attention"
        case .appendClassToken, .carryClassToken, .takeClassToken: "class token"
        case .positionEmbedding: "position embedding"
        case .concatenation: "concatenation"
        case .channelSlice: "channel slice"
        case .channelShuffle: "channel shuffle"
        case .channelScale: "channel scale"
        case .patchGathering: "patch gathering"
        case .meanOverTokens: "mean over tokens"
        }
    }

    /// Whether it only says which channels lie where, so that it may take no step of its own.
    public var isView: Bool {
        switch self {
        case .concatenation, .channelSlice: true
        default: false
        }
    }

    /// The tensors that it needs from a model file. Tensors that it shares with another node, such as the bias that
    /// window attention pads with, are listed only with their owner.
    public var parameters: [Parameter] {
        switch self {
        case .convolution(let convolution): [convolution.weight] + (convolution.bias.map { [$0] } ?? [])
        case .batchNorm(let norm): [norm.weight, norm.bias, norm.runningMean, norm.runningVariance]
        case .layerNorm(let norm): [norm.weight, norm.bias]
        case .linear(let linear): [linear.weight] + (linear.bias.map { [$0] } ?? [])
        case .windowAttention(let attention): [attention.relativePositionBiasTable]
        case .crossShapedAttention(let attention): attention.branches.flatMap { [$0.weight, $0.bias] }
        case .appendClassToken(let token): [token.parameter]
        case .positionEmbedding(let positions): [positions.parameter]
        case .globalAttention, .carryClassToken, .takeClassToken: []
        case .input, .activation, .add, .concatenation, .channelSlice, .channelShuffle, .channelScale, .patchGathering,
            .meanOverTokens:
            []
        }
    }
}
