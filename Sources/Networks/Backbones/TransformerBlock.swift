import CETNetGraph

extension GraphBuilder {
    /// What all transformer blocks have in common: attention and a perceptron, each after layer normalisation and with
    /// a residual around it.
    ///
    ///     x = x + attention(norm1(x))
    ///     x = x + fc2(act(fc1(norm2(x))))
    ///
    /// - Parameter attention: appends the attention of a block to normalised tokens, projections included.
    mutating func transformerBlock(
        _ name: String, _ input: ValueID, _ stage: Stage, attention: (inout GraphBuilder, ValueID) -> ValueID
    ) -> ValueID {
        let epsilon = stage.configuration.block.definition.epsilon
        part = .attention
        var y = layerNorm(name + ".norm1", input, epsilon: epsilon)
        y = attention(&self, y)
        let x = append(name + ".attn.add", .add, [input, y])

        part = .mlp
        y = layerNorm(name + ".norm2", x, epsilon: epsilon)
        y = linear(name + ".mlp.fc1", y, outputChannels: stage.hiddenChannels)
        y = append(name + ".mlp.act", .activation(stage.configuration.hiddenActivation), [y])
        y = linear(name + ".mlp.fc2", y, outputChannels: stage.channels)
        return append(name + ".mlp.add", .add, [x, y])
    }

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
