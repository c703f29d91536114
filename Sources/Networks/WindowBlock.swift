import CETNetGraph

extension GraphBuilder {
    /// A transformer block with attention in windows: Swin's (arXiv 2103.14030, section 3.2), and, locally enhanced,
    /// the paper's LEWin block (arXiv 2207.13317, section 3.3), which has a 3×3 depthwise convolution in front.
    ///
    ///     x = local(x)                              LEWin only; replaces x
    ///     x = x + proj(W-MSA(qkv(norm1(x))))        windows shifted by half in every second block
    ///     x = x + fc2(act(fc1(norm2(x))))
    ///
    /// All of H×W×C.
    mutating func windowBlock(
        _ input: ValueID, _ stage: Stage, index: Int, isLocallyEnhanced: Bool
    ) -> ValueID {
        let name = "\(stage.name).blocks.\(index)"
        var x = input
        if isLocallyEnhanced {
            part = .localConvolution
            x = localConvolution(name + ".local", x)
        }
        return transformerBlock(name, x, stage) { builder, y in
            builder.windowAttention(name + ".attn", y, stage, isShifted: index % 2 == 1)
        }
    }

    /// A 3×3 depthwise convolution with bias.
    private mutating func localConvolution(_ name: String, _ x: ValueID) -> ValueID {
        let channels = shape(of: x).channels
        let convolution = Convolution(
            name: name, inputChannels: channels, outputChannels: channels, kernel: 3, padding: 1, groups: channels,
            bias: true)
        return append(name, .convolution(convolution), [x])
    }

    /// Projection to queries, keys and values (3C), attention (C), output projection (C).
    private mutating func windowAttention(
        _ name: String, _ x: ValueID, _ stage: Stage, isShifted: Bool
    ) -> ValueID {
        let window = stage.configuration.windowSize
        let attention = WindowAttention(
            name: name, channels: stage.channels, heads: stage.heads, windowSize: window,
            shift: isShifted ? window / 2 : 0)
        var y = linear(name + ".qkv", x, outputChannels: 3 * stage.channels)
        y = append(name, .windowAttention(attention), [y])
        return linear(name + ".proj", y, outputChannels: stage.channels)
    }
}
