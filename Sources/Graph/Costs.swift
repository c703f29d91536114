extension Node {
    /// Trained scalars that belong to this node: weights, biases and scales, not running statistics.
    public var parameterCount: Int {
        self.operator.parameters.filter(\.isTrained).reduce(0) { $0 + $1.count }
    }

    /// Multiply-adds for one image: convolutions, linear layers and the two products of attention.
    ///
    /// This is what vision papers print as "FLOPs"; one multiply-add is two floating point operations. Windows are
    /// counted as H·W tokens with w² keys each: what padding adds is computed but not counted, as in the paper.
    public var multiplyAdds: Int {
        switch self.operator {
        case .convolution(let convolution):
            shape.count * (convolution.inputChannels / convolution.groups) * convolution.kernel * convolution.kernel
        case .linear(let linear):
            shape.tokens * linear.inputChannels * linear.outputChannels
        case .windowAttention(let attention):
            2 * shape.tokens * attention.windowSize * attention.windowSize * attention.channels
        case .globalAttention(let attention):
            2 * shape.tokens * inputShapes[1].tokens * attention.channels
        case .crossShapedAttention(let attention):
            attention.multiplyAdds(shape)
        case .appendClassToken, .carryClassToken, .takeClassToken, .positionEmbedding: 0
        case .input, .batchNorm, .layerNorm, .activation, .add, .concatenation, .channelSlice, .channelShuffle,
            .channelScale, .patchGathering, .meanOverTokens:
            0
        }
    }
}

extension Graph {
    /// Trained scalars of the whole model.
    public var parameterCount: Int { nodes.reduce(0) { $0 + $1.parameterCount } }

    /// Multiply-adds for one image; see ``Node/multiplyAdds``.
    public var multiplyAdds: Int { nodes.reduce(0) { $0 + $1.multiplyAdds } }
}
