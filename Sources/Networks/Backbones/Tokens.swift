import CETNetGraph

extension GraphBuilder {
    /// Layer normalisation over the channels of each token.
    /// - Parameter epsilon: what it is unless the configuration has one for all.
    mutating func layerNorm(_ name: String, _ x: ValueID, epsilon: Float = 1e-5) -> ValueID {
        let norm = LayerNorm(
            name: name, channels: shape(of: x).channels, epsilon: layerNormEpsilon ?? epsilon)
        return append(name, .layerNorm(norm), [x])
    }

    /// A linear layer on each token.
    mutating func linear(_ name: String, _ x: ValueID, outputChannels: Int, bias: Bool = true) -> ValueID {
        let linear = Linear(
            name: name, inputChannels: shape(of: x).channels, outputChannels: outputChannels, bias: bias)
        return append(name, .linear(linear), [x])
    }
}
