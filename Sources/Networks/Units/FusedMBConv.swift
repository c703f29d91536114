import CETNetGraph

extension GraphBuilder {
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
