import CETNetGraph

extension ConvolutionalUnit {
    /// Layers add an eighth of the width each, and four of them fill what the first layer leaves.
    static let dense = ConvolutionalUnit(channelMultiple: 8, requiredLayers: 5) { $0.denseUnit($2, $1) }
}

extension GraphBuilder {
    /// A layer of a dense embedding (DenseNet, Huang et al., arXiv 1608.06993, section 3). The first, of stride 2, is a
    /// Fused-MBConv that makes half of the stage's channels; each of the four others keeps its input and adds an
    /// eighth.
    ///
    ///     H×W×Cin → reduce 1×1 → H×W×C → grow 3×3 → H×W×C/8; concat: H×W×(Cin + C/8), C = outputChannels
    mutating func denseUnit(_ layer: UnitLayer, _ x: ValueID) -> ValueID {
        guard layer.stride == 1 else {
            return fusedMBConv(
                UnitLayer(
                    name: layer.name, outputChannels: layer.outputChannels / 2, stride: layer.stride, expansion: 1), x)
        }
        var y = convBN(layer.name + ".reduce", x, outputChannels: layer.outputChannels, kernel: 1)
        y = convBN(layer.name + ".grow", y, outputChannels: layer.outputChannels / 8, kernel: 3)
        return append(layer.name + ".concat", .concatenation, [x, y])
    }
}
