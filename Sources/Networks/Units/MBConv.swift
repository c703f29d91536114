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
}
