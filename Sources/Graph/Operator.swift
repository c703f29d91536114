/// What a node computes. Shapes are those of one image (see ``TensorShape``).
///
/// The cases are what fusing matches on; all else about an operator is in its definition, a file of its own in
/// `Operators`.
public enum Operator: Sendable, Hashable {
    case input(Input)
    case convolution(Convolution)
    case batchNorm(BatchNorm)
    case layerNorm(LayerNorm)
    case linear(Linear)
    case activation(Activation)
    case add
    case windowAttention(WindowAttention)
    case globalAttention(GlobalAttention)
    case crossShapedAttention(CrossShapedAttention)
    case appendClassToken(ClassToken)
    case carryClassToken
    case takeClassToken
    case positionEmbedding(PositionEmbedding)
    case concatenation
    case channelSlice(Range<Int>)
    case channelShuffle
    case channelScale
    case patchGathering
    case meanOverTokens
    case adaptiveAveragePooling(AdaptiveAveragePooling)
    case bilinearResize(BilinearResize)
    case zeroPadding(ZeroPadding)

    /// What there is to say about the operator.
    public var definition: any OperatorDefinition {
        switch self {
        case .input(let input): input
        case .convolution(let convolution): convolution
        case .batchNorm(let norm): norm
        case .layerNorm(let norm): norm
        case .linear(let linear): linear
        case .activation(let activation): activation
        case .add: Add()
        case .windowAttention(let attention): attention
        case .globalAttention(let attention): attention
        case .crossShapedAttention(let attention): attention
        case .appendClassToken(let token): token
        case .carryClassToken: CarryClassToken()
        case .takeClassToken: TakeClassToken()
        case .positionEmbedding(let positions): positions
        case .concatenation: Concatenation()
        case .channelSlice(let channels): ChannelSlice(channels: channels)
        case .channelShuffle: ChannelShuffle()
        case .channelScale: ChannelScale()
        case .patchGathering: PatchGathering()
        case .meanOverTokens: MeanOverTokens()
        case .adaptiveAveragePooling(let pooling): pooling
        case .bilinearResize(let resize): resize
        case .zeroPadding(let padding): padding
        }
    }

    /// The field's name for the operator, as tables print it.
    public var name: String { definition.name }

    /// Whether it only says which channels lie where, so that it may take no step of its own.
    public var isView: Bool { definition.isView }

    /// The tensors that it needs from a model file.
    public var parameters: [Parameter] { definition.parameters }
}

/// What an operator says about itself.
public protocol OperatorDefinition: Sendable, Hashable {
    /// The field's name for the operator, as tables print it.
    var name: String { get }

    /// The tensors that it needs from a model file. Tensors that it shares with another node, such as the bias that
    /// window attention pads with, are listed only with their owner. None by default.
    var parameters: [Parameter] { get }

    /// Whether it only says which channels lie where, so that it may take no step of its own. Not by default.
    var isView: Bool { get }

    /// The shape of the output for inputs of these shapes.
    /// - Throws: ``ShapeMismatch`` if it cannot have such inputs.
    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape

    /// Multiply-adds for one image: convolutions, linear layers and the two products of attention. None by default.
    func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int
}

extension OperatorDefinition {
    public var parameters: [Parameter] { [] }
    public var isView: Bool { false }
    public func multiplyAdds(inputs: [TensorShape], output: TensorShape) -> Int { 0 }

    /// Checks the number of inputs and, where it is given, how wide the first is.
    func expect(_ count: Int, channels: Int? = nil, _ inputs: [TensorShape]) throws(ShapeMismatch) {
        guard inputs.count == count else { throw ShapeMismatch("takes \(count) inputs, not \(inputs.count)") }
        if let channels, inputs[0].channels != channels {
            throw ShapeMismatch("takes \(channels) channels, not \(inputs[0].channels)")
        }
    }
}

/// Why an operator cannot have its inputs: a mistake of the network definition. Goes on where the operator's name ends.
public struct ShapeMismatch: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
