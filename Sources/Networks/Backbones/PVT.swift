// PVT, as in Wang et al., "Pyramid Vision Transformer: A Versatile Backbone for Dense Prediction without Convolutions",
// ICCV 2021 (arXiv 2102.12122); tensors as in the authors' github.com/whai362/PVT.
import CETNetGraph

extension BlockDefinition {
    static let pvt = BlockDefinition(
        embeddings: [.patch, .patch, .patch, .patch], epsilon: 1e-6, classToken: .asPublished,
        positionEmbeddings: .asPublished
    ) { $0.pyramidBlock($1, $2, index: $3) }
}

/// Side of the patches of tokens that a key is made of, per stage (table 1).
private let reductions = [8, 4, 2, 1]

extension GraphBuilder {
    /// PVT's block (section 3.3): attention to keys and values of lower resolution.
    ///
    /// All of H×W×C, a class token with it in the last stage of models that have one.
    mutating func pyramidBlock(_ input: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let name = "\(stage.name).blocks.\(index)"
        return transformerBlock(name, input, stage) { builder, y in
            builder.spatialReductionAttention(name + ".attn", y, stage)
        }
    }

    /// Spatial-reduction attention: queries of all tokens, keys and values of patches of r×r tokens.
    ///
    ///     x: H×W×C → q: H×W×C
    ///     x → sr r×r of stride r → ⌊H/r⌋×⌊W/r⌋×C → norm → kv: ⌊H/r⌋×⌊W/r⌋×2C       r > 1
    ///     x → kv: H×W×2C                                                            r = 1
    private mutating func spatialReductionAttention(_ name: String, _ x: ValueID, _ stage: Stage) -> ValueID {
        let reduction = reductions[stage.index]
        let queries = linear(name + ".q", x, outputChannels: stage.channels)
        var keys = x
        if reduction > 1 {
            let convolution = Convolution(
                name: name + ".sr", inputChannels: stage.channels, outputChannels: stage.channels, kernel: reduction,
                stride: reduction, bias: true)
            keys = append(name + ".sr", .convolution(convolution), [keys])
            keys = layerNorm(name + ".norm", keys)
        }
        let keysAndValues = linear(name + ".kv", keys, outputChannels: 2 * stage.channels)
        let headDimension = Float(stage.channels / stage.heads)
        let attention = GlobalAttention(
            channels: stage.channels, heads: stage.heads, scale: 1 / headDimension.squareRoot())
        let y = append(name, .globalAttention(attention), [queries, keysAndValues])
        return linear(name + ".proj", y, outputChannels: stage.channels)
    }
}
