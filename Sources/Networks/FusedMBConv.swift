import CETNetGraph

extension GraphBuilder {
    /// Fused-MBConv (Tan and Le, EfficientNetV2, arXiv 2104.00298, figure 2): a dense 3×3 convolution that widens the
    /// map `expansion` times, then a 1×1 projection; with expansion 1 the 3×3 convolution alone.
    ///
    ///     H×W×Cin → fused 3×3 → ⌈H/stride⌉×⌈W/stride⌉×(expansion·Cin) → project 1×1 → …×Cout
    ///
    /// The input is added at the end where the shape stays the same.
    mutating func fusedMBConv(
        _ name: String, _ x: ValueID, outputChannels: Int, stride: Int, expansion: Int
    ) -> ValueID {
        guard expansion > 1 else {
            let y = convBN(name + ".fused", x, outputChannels: outputChannels, kernel: 3, stride: stride)
            return residual(name, x, y, stride: stride)
        }
        var y = convBN(
            name + ".fused", x, outputChannels: expansion * shape(of: x).channels, kernel: 3, stride: stride)
        y = convBN(name + ".project", y, outputChannels: outputChannels, kernel: 1, activated: false)
        return residual(name, x, y, stride: stride)
    }
}
