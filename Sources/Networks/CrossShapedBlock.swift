import CETNetGraph

/// The CSWin Transformer's numbers that no configuration changes (arXiv 2107.00652, section 4).
enum CrossShaped {
    /// Tokens across a stripe, per stage; the last stage's only stripe is the whole map.
    static let stripeWidths = [1, 2, 7, 7]

    /// The stripes of a stage: two kinds, each for half of the heads, or in the last stage the map. Which it is belongs
    /// to the trained model, whatever the size of the map.
    static func stripes(stage: Int) -> [CrossShapedAttention.Stripe] {
        let width = stripeWidths[stage]
        return stage == stripeWidths.count - 1 ? [.map] : [.vertical(width: width), .horizontal(width: width)]
    }
}

extension GraphBuilder {
    /// CSWin's block (arXiv 2107.00652, section 3.4): half of the heads attend in vertical stripes, half in horizontal
    /// ones.
    ///
    /// All of H×W×C.
    mutating func crossShapedBlock(_ input: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let name = "\(stage.name).blocks.\(index)"
        return transformerBlock(name, input, stage) { builder, y in
            let attention = CrossShapedAttention(
                name: name + ".attn", channels: stage.channels, heads: stage.heads,
                stripes: CrossShaped.stripes(stage: stage.index))
            var y = builder.linear(name + ".attn.qkv", y, outputChannels: 3 * stage.channels)
            y = builder.append(name + ".attn", .crossShapedAttention(attention), [y])
            return builder.linear(name + ".attn.proj", y, outputChannels: stage.channels)
        }
    }
}
