import CETNetGraph

extension GraphBuilder {
    /// A layer of a dense embedding (DenseNet, Huang et al., arXiv 1608.06993, section 3). The first, of stride 2, is a
    /// Fused-MBConv that makes half of the stage's channels; each of the four others keeps its input and adds an
    /// eighth.
    ///
    ///     H×W×Cin → reduce 1×1 → H×W×C → grow 3×3 → H×W×C/8; concat: H×W×(Cin + C/8), C = outputChannels
    mutating func denseUnit(_ name: String, _ x: ValueID, outputChannels: Int, stride: Int) -> ValueID {
        guard stride == 1 else {
            return fusedMBConv(name, x, outputChannels: outputChannels / 2, stride: stride, expansion: 1)
        }
        var y = convBN(name + ".reduce", x, outputChannels: outputChannels, kernel: 1)
        y = convBN(name + ".grow", y, outputChannels: outputChannels / 8, kernel: 3)
        return append(name + ".concat", .concatenation, [x, y])
    }
}
