import CETNetGraph

extension ConvolutionalUnit {
    static let mbconv = ConvolutionalUnit { $0.mbConv($2, $1) }
    /// MBConv in the stem and in stage 0 as well.
    static let pureMB = ConvolutionalUnit(isEverywhere: true) { $0.mbConv($2, $1) }
}

extension GraphBuilder {
    /// MBConv (Sandler et al., MobileNetV2, arXiv 1801.04381, section 3): 1×1 expansion, also where `expansion` is 1,
    /// 3×3 depthwise convolution, 1×1 projection without activation.
    ///
    ///     H×W×Cin → expand 1×1 → H×W×M → dw 3×3 → ⌈H/stride⌉×⌈W/stride⌉×M → project 1×1 → …×Cout, M = expansion·Cin
    ///
    /// The input is added at the end where the shape stays the same.
    mutating func mbConv(_ layer: UnitLayer, _ x: ValueID) -> ValueID {
        let middle = layer.expansion * shape(of: x).channels
        var y = convBN(layer.name + ".expand", x, outputChannels: middle, kernel: 1)
        y = convBN(layer.name + ".dw", y, outputChannels: middle, kernel: 3, stride: layer.stride, groups: middle)
        y = convBN(layer.name + ".project", y, outputChannels: layer.outputChannels, kernel: 1, activated: false)
        return residual(layer, x, y)
    }

    /// Fused-MBConv (Tan and Le, EfficientNetV2, arXiv 2104.00298, figure 2): a dense 3×3 convolution that widens the
    /// map `expansion` times, then a 1×1 projection; with expansion 1 the 3×3 convolution alone.
    ///
    ///     H×W×Cin → fused 3×3 → ⌈H/stride⌉×⌈W/stride⌉×(expansion·Cin) → project 1×1 → …×Cout
    ///
    /// The input is added at the end where the shape stays the same.
    mutating func fusedMBConv(_ layer: UnitLayer, _ x: ValueID) -> ValueID {
        let middle = layer.expansion > 1 ? layer.expansion * shape(of: x).channels : layer.outputChannels
        var y = convBN(layer.name + ".fused", x, outputChannels: middle, kernel: 3, stride: layer.stride)
        if layer.expansion > 1 {
            y = convBN(layer.name + ".project", y, outputChannels: layer.outputChannels, kernel: 1, activated: false)
        }
        return residual(layer, x, y)
    }
}
