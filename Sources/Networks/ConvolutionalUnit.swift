import CETNetGraph

/// One layer of a convolutional embedding.
struct ConvolutionalUnitLayer {
    /// Path in the `state_dict`.
    let name: String
    let outputChannels: Int
    /// 2 in the first layer of a stage, else 1.
    let stride: Int
    /// How many times as wide as its input an MBConv is inside.
    let expansion: Int
}

/// Appends one layer of a convolutional embedding.
typealias ConvolutionalUnitBuilder = @Sendable (inout GraphBuilder, ValueID, ConvolutionalUnitLayer) -> ValueID

/// What the stem and stage 0 are made of: Fused-MBConv, for whole images the faster of the two, whatever the unit of
/// the later stages; with `pure-mb`, MBConv.
func earlyUnit(_ unit: ModelConfiguration.ConvolutionalEmbeddingUnit) -> ConvolutionalUnitBuilder {
    switch unit {
    case .mbconv, .resnet, .seResnet, .dense, .shuffle, .ghost:
        {
            $0.fusedMBConv(
                $2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride, expansion: $2.expansion)
        }
    case .pureMB: convolutionalUnit(.mbconv)
    }
}

/// What stages 1 to 3 are made of.
func convolutionalUnit(_ unit: ModelConfiguration.ConvolutionalEmbeddingUnit) -> ConvolutionalUnitBuilder {
    switch unit {
    case .mbconv, .pureMB:
        { $0.mbConv($2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride, expansion: $2.expansion) }
    case .resnet:
        {
            $0.resNetUnit(
                $2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride, squeezesAndExcites: false)
        }
    case .seResnet:
        {
            $0.resNetUnit(
                $2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride, squeezesAndExcites: true)
        }
    case .dense: { $0.denseUnit($2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride) }
    case .shuffle: { $0.shuffleUnit($2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride) }
    case .ghost: { $0.ghostUnit($2.name, $1, outputChannels: $2.outputChannels, stride: $2.stride) }
    }
}

extension ModelConfiguration.ConvolutionalEmbeddingUnit {
    /// The widths of stages 1 to 3 that the unit can make are the multiples of this.
    var channelMultiple: Int {
        switch self {
        case .mbconv, .pureMB, .resnet: 1
        // The squeezed width is a sixteenth.
        case .seResnet: 16
        // A dense layer adds an eighth.
        case .dense: 8
        // Two halves.
        case .shuffle, .ghost: 2
        }
    }

    /// The only number of layers that the unit can be built with, if there is one: dense layers add an eighth of the
    /// width each, and four of them fill what the first layer leaves.
    var requiredLayers: Int? { self == .dense ? 5 : nil }
}
