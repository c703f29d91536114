import CETNetGraph

extension GraphBuilder {
    /// The paper's convolutional embedding (CE) of a stage (arXiv 2207.13317, section 3.2), then layer normalisation.
    ///
    /// Stage 0, after the stem: as many units of expansion 2 as the stem has, the first of stride 2, then a 1×1
    /// convolution.
    ///
    ///     ⌈H/2⌉×⌈W/2⌉×c0 → ⌈H/4⌉×⌈W/4⌉×c1 → ⌈H/4⌉×⌈W/4⌉×C
    ///
    /// Later stages: `ceLayers` units, the first of stride 2 and expansion 2, the others of expansion 1.
    ///
    ///     H×W×C → ⌈H/2⌉×⌈W/2⌉×C′
    ///
    /// With a single layer, a single strided convolution.
    mutating func convolutionalEmbedding(_ input: ValueID, _ stage: Stage) -> ValueID {
        let configuration = stage.configuration
        let name = stage.name + ".embed"
        part = .convolutionalEmbedding
        var x = input
        if configuration.ceLayers == 1 {
            x =
                stage.index == 0
                ? projection(name, x, outputChannels: stage.channels, kernel: 7, stride: 4, padding: 3)
                : projection(name, x, outputChannels: stage.channels, kernel: 3, stride: 2, padding: 1)
        } else if stage.index == 0 {
            let unit = earlyUnit(configuration.ceUnit)
            for layer in 0..<configuration.stemLayers {
                x = unit(
                    &self, x,
                    ConvolutionalUnitLayer(
                        name: "\(name).layers.\(layer)", outputChannels: configuration.stemChannels[1],
                        stride: layer == 0 ? 2 : 1, expansion: 2))
            }
            x = projection(name, x, outputChannels: stage.channels, kernel: 1, stride: 1, padding: 0)
        } else {
            let unit = convolutionalUnit(configuration.ceUnit)
            for layer in 0..<configuration.ceLayers {
                x = unit(
                    &self, x,
                    ConvolutionalUnitLayer(
                        name: "\(name).layers.\(layer)", outputChannels: stage.channels, stride: layer == 0 ? 2 : 1,
                        expansion: layer == 0 ? 2 : 1))
            }
        }
        return layerNorm(name + ".norm", x)
    }

    /// `name.proj`: a convolution with bias.
    mutating func projection(
        _ name: String, _ x: ValueID, outputChannels: Int, kernel: Int, stride: Int, padding: Int
    ) -> ValueID {
        let convolution = Convolution(
            name: name + ".proj", inputChannels: shape(of: x).channels, outputChannels: outputChannels, kernel: kernel,
            stride: stride, padding: padding, bias: true)
        return append(name + ".proj", .convolution(convolution), [x])
    }
}
