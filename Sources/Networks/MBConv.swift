import CETNetGraph

extension GraphBuilder {
    /// MBConv (Sandler et al., MobileNetV2, arXiv 1801.04381, section 3): 1×1 expansion, also where `expansion` is 1,
    /// 3×3 depthwise convolution, 1×1 projection without activation.
    ///
    ///     H×W×Cin → expand 1×1 → H×W×M → dw 3×3 → ⌈H/stride⌉×⌈W/stride⌉×M → project 1×1 → …×Cout, M = expansion·Cin
    ///
    /// The input is added at the end where the shape stays the same.
    mutating func mbConv(_ name: String, _ x: ValueID, outputChannels: Int, stride: Int, expansion: Int) -> ValueID {
        let middle = expansion * shape(of: x).channels
        var y = convBN(name + ".expand", x, outputChannels: middle, kernel: 1)
        y = convBN(name + ".dw", y, outputChannels: middle, kernel: 3, stride: stride, groups: middle)
        y = convBN(name + ".project", y, outputChannels: outputChannels, kernel: 1, activated: false)
        return residual(name, x, y, stride: stride)
    }
}
