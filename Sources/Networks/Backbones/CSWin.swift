// CSWin, as in Dong et al., "CSWin Transformer: A General Vision Transformer Backbone with Cross-Shaped Windows", CVPR
// 2022 (arXiv 2107.00652); tensors, but for names, as in the authors' github.com/microsoft/CSWin-Transformer.
import CETNetGraph

extension BlockDefinition {
    static let cswin = BlockDefinition(
        embeddings: [.conv, .conv, .conv, .conv],
        headMultiples: (
            stripes.map(\.count), "even numbers in all stages but the last, half for each kind of stripe"
        )
    ) { $0.crossShapedBlock($1, $2, index: $3) }
}

/// The stripes of each stage (section 4): two kinds, each for half of the heads, or in the last stage the map. Which it
/// is belongs to the trained model, whatever the size of the map.
private let stripes: [[CrossShapedAttention.Stripe]] =
    [1, 2, 7].map { [.vertical(width: $0), .horizontal(width: $0)] } + [[.map]]

extension GraphBuilder {
    /// CSWin's block (section 3.4): half of the heads attend in vertical stripes, half in horizontal
    /// ones.
    ///
    /// All of H×W×C.
    mutating func crossShapedBlock(_ input: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let name = "\(stage.name).blocks.\(index)"
        return transformerBlock(name, input, stage) { builder, y in
            let attention = CrossShapedAttention(
                name: name + ".attn", channels: stage.channels, heads: stage.heads,
                stripes: stripes[stage.index])
            var y = builder.linear(name + ".attn.qkv", y, outputChannels: 3 * stage.channels)
            y = builder.append(name + ".attn", .crossShapedAttention(attention), [y])
            return builder.linear(name + ".attn.proj", y, outputChannels: stage.channels)
        }
    }
}
