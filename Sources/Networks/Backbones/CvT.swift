// CvT, as in Wu et al., "CvT: Introducing Convolutions to Vision Transformers", ICCV 2021 (arXiv 2103.15808); tensors
// as in the authors' github.com/microsoft/CvT.
import CETNetGraph

extension BlockDefinition {
    static let cvt = BlockDefinition(
        embeddings: [.conv, .conv, .conv], activation: .quickGELU, classToken: .always
    ) { $0.convolutionalProjectionBlock($1, $2, index: $3) }
}

extension GraphBuilder {
    /// CvT's block (section 3.2): queries, keys and values come from depthwise convolutions, keys and
    /// values at half the resolution.
    ///
    /// All of H×W×C, with a class token in the last stage.
    mutating func convolutionalProjectionBlock(_ input: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let name = "\(stage.name).blocks.\(index)"
        return transformerBlock(name, input, stage) { builder, y in
            builder.convolutionalProjectionAttention(name + ".attn", y, stage)
        }
    }

    /// Convolutional projections, attention, output projection. Scores are scaled by C^-0.5, not by a head's share of
    /// it, as the authors' code does.
    ///
    ///     q: H×W×C      k, v: ⌈H/2⌉×⌈W/2⌉×C
    private mutating func convolutionalProjectionAttention(_ name: String, _ x: ValueID, _ stage: Stage) -> ValueID {
        let queries = convolutionalProjection(name, "q", x, stride: 1)
        let keys = convolutionalProjection(name, "k", x, stride: 2)
        let values = convolutionalProjection(name, "v", x, stride: 2)
        let attention = GlobalAttention(
            channels: stage.channels, heads: stage.heads, scale: 1 / Float(stage.channels).squareRoot())
        let y = append(name, .globalAttention(attention), [queries, keys, values])
        return linear(name + ".proj", y, outputChannels: stage.channels)
    }

    /// 3×3 depthwise convolution and BatchNorm of the map, then a linear layer on each token. The class token goes
    /// around the convolution.
    private mutating func convolutionalProjection(
        _ name: String, _ letter: String, _ x: ValueID, stride: Int
    ) -> ValueID {
        let channels = shape(of: x).channels
        let convolutionName = "\(name).conv_proj_\(letter)"
        var y = convBN(
            convolutionName, x, outputChannels: channels, kernel: 3, stride: stride, groups: channels, activated: false)
        if shape(of: x).classTokens > 0 { y = append(convolutionName + ".token", .carryClassToken, [y, x]) }
        return linear("\(name).proj_\(letter)", y, outputChannels: channels)
    }
}
