// CETNet, as in Wang et al., "Convolutional Embedding Makes Hierarchical Vision Transformer Stronger", ECCV 2022
// (arXiv 2207.13317). The authors published neither code nor weights; widths and depths are fitted to its counts.
//
// From the image to the logits, in execution order; Cn are the configuration's `dims`, c0 and c1 its `stem_channels`:
//
//     image                                                  H×W×3
//     stem                                                   ⌈H/2⌉×⌈W/2⌉×c0
//     stage 0    convolutional embedding, LEWin blocks       ⌈H/4⌉×⌈W/4⌉×C0
//     stage n    convolutional embedding, LEWin blocks       half of the sides before×Cn, n = 1, 2, 3
//     head       norm, mean over tokens, classifier          1×1×labels
import CETNetGraph

extension BlockDefinition {
    static let lewin = BlockDefinition(embeddings: [.ce, .ce, .ce, .ce]) { $0.lewinBlock($1, $2, index: $3) }
}

extension ModelConfiguration {
    /// Layers of the first convolutional embedding that are the stem, and as many again that are in stage 0: half of
    /// `ceLayers` each; the 1×1 projection makes up the odd one.
    var stemLayers: Int { embeddings.first == .ce ? (ceLayers - 1) / 2 : 0 }

    /// Epsilon of the norm before the head.
    package var finalEpsilon: Float { layerNormEpsilon ?? block.definition.epsilon }

    /// Whether the head classifies a class token; else the mean over all tokens.
    package var hasClassToken: Bool { classTokenStage != nil }
}

extension GraphBuilder {
    /// The stem, the first half of the first convolutional embedding (section 3.2): Fused-MBConv of expansion 1. With
    /// unit `pure-mb` only `stem.0` is a Fused-MBConv, the others are MBConv.
    mutating func stem(_ image: ValueID, _ configuration: ModelConfiguration) -> ValueID {
        part = .stem
        let unit = configuration.ceUnit.definition.early
        return layers(  // H×W×3 → ⌈H/2⌉×⌈W/2⌉×c0
            configuration.backbonePrefix + "stem", image, count: configuration.stemLayers,
            outputChannels: configuration.stemChannels[0], expansion: (1, 1),
            unit: { $0 == 0 ? ConvolutionalUnit.mbconv.early : unit })
    }

    /// The convolutional embedding (CE) that opens a stage (section 3.2), then layer normalisation: in stage 0 the
    /// second half of the first one and a 1×1 convolution, later `ceLayers` units. With a single layer, a single
    /// strided convolution.
    mutating func convolutionalEmbedding(_ input: ValueID, _ stage: Stage) -> ValueID {
        let configuration = stage.configuration
        let (name, unit) = (stage.name + ".embed", configuration.ceUnit.definition)
        part = .convolutionalEmbedding
        var x = input
        switch (configuration.ceLayers, stage.index) {
        case (1, 0):  // H×W×3 → ⌈H/4⌉×⌈W/4⌉×C0
            x = projection(name, x, outputChannels: stage.channels, kernel: 7, stride: 4, padding: 3)
        case (1, _):  // H×W×C → ⌈H/2⌉×⌈W/2⌉×Cn
            x = projection(name, x, outputChannels: stage.channels, kernel: 3, stride: 2, padding: 1)
        case (_, 0):  // ⌈H/2⌉×⌈W/2⌉×c0 → ⌈H/4⌉×⌈W/4⌉×c1 → ⌈H/4⌉×⌈W/4⌉×C0
            x = layers(
                name + ".layers", x, count: configuration.stemLayers, outputChannels: configuration.stemChannels[1],
                expansion: (2, 2), unit: { _ in unit.early })
            x = projection(name, x, outputChannels: stage.channels, kernel: 1, stride: 1, padding: 0)
        default:  // H×W×C → ⌈H/2⌉×⌈W/2⌉×Cn
            x = layers(
                name + ".layers", x, count: configuration.ceLayers, outputChannels: stage.channels,
                expansion: (2, 1), unit: { _ in unit.append })
        }
        return layerNorm(name + ".norm", x)
    }

    /// Layers `name.0`, `name.1` and so on, the first of stride 2.
    private mutating func layers(
        _ name: String, _ input: ValueID, count: Int, outputChannels: Int, expansion: (first: Int, later: Int),
        unit: (_ index: Int) -> ConvolutionalUnit.Append
    ) -> ValueID {
        (0..<count).reduce(input) { x, index in
            let (stride, expansion) = index == 0 ? (2, expansion.first) : (1, expansion.later)
            return unit(index)(
                &self, x,
                UnitLayer(
                    name: "\(name).\(index)", outputChannels: outputChannels, stride: stride, expansion: expansion))
        }
    }

    /// The locally enhanced window block (section 3.3): a 3×3 depthwise convolution with bias, without a residual, in
    /// front of Swin's block.
    ///
    ///     x = local(x)
    ///     x = x + proj(W-MSA(qkv(norm1(x))))        windows shifted by half in every second block
    ///     x = x + fc2(act(fc1(norm2(x))))
    mutating func lewinBlock(_ input: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let (name, channels) = ("\(stage.name).blocks.\(index).local", stage.channels)
        part = .localConvolution
        let local = Convolution(
            name: name, inputChannels: channels, outputChannels: channels, kernel: 3, padding: 1, groups: channels,
            bias: true)
        let x = append(name, .convolution(local), [input])  // H×W×C
        return windowBlock(x, stage, index: index)  // H×W×C
    }

    /// The head that classifies: layer normalisation, mean over all tokens, linear layer; where there is a class token,
    /// it alone is normalised and classified.
    mutating func classifier(_ tokens: ValueID, _ configuration: ModelConfiguration) -> ValueID {
        part = .head
        let hasClassToken = shape(of: tokens).classTokens > 0
        var x = hasClassToken ? append("token", .takeClassToken, [tokens]) : tokens  // 1×1×C, or H×W×C
        x = layerNorm("norm", x, epsilon: configuration.finalEpsilon)
        if !hasClassToken { x = append("mean", .meanOverTokens, [x]) }  // 1×1×C
        return linear("head", x, outputChannels: configuration.numLabels)  // 1×1×labels
    }
}
