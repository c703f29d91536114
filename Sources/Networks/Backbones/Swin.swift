// Swin, as in Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021
// (arXiv 2103.14030); tensors as in the authors' github.com/microsoft/Swin-Transformer.
import CETNetGraph

extension BlockDefinition {
    static let swin = BlockDefinition(embeddings: [.patch, .merge, .merge, .merge]) {
        $0.windowBlock($1, $2, index: $3)
    }
}

extension GraphBuilder {
    /// Swin's block (section 3.2): attention in windows, shifted by half a window in every second block.
    ///
    /// All of H×W×C.
    mutating func windowBlock(_ x: ValueID, _ stage: Stage, index: Int) -> ValueID {
        let (name, configuration) = ("\(stage.name).blocks.\(index)", stage.configuration)
        let window = configuration.windowSize
        return transformerBlock(name, x, stage) { builder, y in
            let attention = WindowAttention(
                name: name + ".attn", channels: stage.channels, heads: stage.heads, windowSize: window,
                shift: index % 2 == 1 ? window / 2 : 0, alwaysShifts: configuration.windowShift == .always,
                countsPadding: configuration.task != .classification)
            var y = builder.linear(name + ".attn.qkv", y, outputChannels: 3 * stage.channels)  // H×W×3C
            y = builder.append(name + ".attn", .windowAttention(attention), [y])  // H×W×C
            return builder.linear(name + ".attn.proj", y, outputChannels: stage.channels)  // H×W×C
        }
    }
}
