import CETNetGraph

extension ModelConfiguration {
    /// Layers of the first convolutional embedding that are the stem, and as many again that are in stage 0: half of
    /// `ceLayers` each; the 1×1 projection makes up the odd one.
    var stemLayers: Int { embeddings.first == .ce ? (ceLayers - 1) / 2 : 0 }
}

extension GraphBuilder {
    /// The stem, the first half of the first convolutional embedding (arXiv 2207.13317, section 3.2): Fused-MBConv of
    /// expansion 1, `stem.0` of stride 2, the others of stride 1. With unit `pure-mb` only `stem.0` is a Fused-MBConv,
    /// the others are MBConv.
    ///
    ///     H×W×3 → ⌈H/2⌉×⌈W/2⌉×c0
    mutating func stem(_ image: ValueID, _ configuration: ModelConfiguration) -> ValueID {
        part = .stem
        var x = image
        for layer in 0..<configuration.stemLayers {
            let unit = layer == 0 ? earlyUnit(.mbconv) : earlyUnit(configuration.ceUnit)
            x = unit(
                &self, x,
                ConvolutionalUnitLayer(
                    name: "stem.\(layer)", outputChannels: configuration.stemChannels[0], stride: layer == 0 ? 2 : 1,
                    expansion: 1))
        }
        return x
    }
}
