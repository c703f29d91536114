import CETNetGraph

/// One layer of the convolutional embeddings of stages 1 to 3.
struct ConvolutionalUnitLayer {
    /// Path in the `state_dict`.
    let name: String
    let outputChannels: Int
    /// 2 in the first layer of a stage, else 1.
    let stride: Int
    /// 2 in the first layer of a stage, else 1.
    let expansion: Int
}

/// Appends one layer of a convolutional embedding.
typealias ConvolutionalUnitBuilder = @Sendable (inout GraphBuilder, ValueID, ConvolutionalUnitLayer) -> ValueID

/// How a unit is built in stages 1 to 3, or `nil` if this version cannot.
func convolutionalUnit(_ unit: ModelConfiguration.ConvolutionalEmbeddingUnit) -> ConvolutionalUnitBuilder? {
    switch unit {
    case .mbconv:
        { builder, x, layer in
            builder.mbConv(
                layer.name, x, outputChannels: layer.outputChannels, stride: layer.stride, expansion: layer.expansion)
        }
    case .pureMB, .resnet, .seResnet, .dense, .shuffle, .ghost: nil
    }
}

extension GraphBuilder {
    /// The paper's convolutional embedding (CE) of a stage (arXiv 2207.13317, section 3.2), then layer normalisation.
    ///
    /// Stage 0, after the stem: Fused-MBConv of expansion 2, the first of stride 2, then a 1×1 convolution.
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
        var x = input
        if configuration.ceLayers == 1 {
            x =
                stage.index == 0
                ? projection(name, x, outputChannels: stage.channels, kernel: 7, stride: 4)
                : projection(name, x, outputChannels: stage.channels, kernel: 3, stride: 2)
        } else if stage.index == 0 {
            for layer in 0..<configuration.stemLayers {
                x = fusedMBConv(
                    "\(name).layers.\(layer)", x, outputChannels: configuration.stemChannels[1],
                    stride: layer == 0 ? 2 : 1, expansion: 2)
            }
            x = projection(name, x, outputChannels: stage.channels, kernel: 1, stride: 1)
        } else if let unit = convolutionalUnit(configuration.ceUnit) {
            for layer in 0..<configuration.ceLayers {
                let layer = ConvolutionalUnitLayer(
                    name: "\(name).layers.\(layer)", outputChannels: stage.channels, stride: layer == 0 ? 2 : 1,
                    expansion: layer == 0 ? 2 : 1)
                x = unit(&self, x, layer)
            }
        }
        return layerNorm(name + ".norm", x)
    }

    /// `name.proj`: a convolution with bias, padded by half its kernel.
    private mutating func projection(
        _ name: String, _ x: ValueID, outputChannels: Int, kernel: Int, stride: Int
    ) -> ValueID {
        let convolution = Convolution(
            name: name + ".proj", inputChannels: shape(of: x).channels, outputChannels: outputChannels, kernel: kernel,
            stride: stride, padding: kernel / 2, bias: true)
        return append(name + ".proj", .convolution(convolution), [x])
    }
}
