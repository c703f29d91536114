import CETNetGraph

extension ConvolutionalUnit {
    static let resnet = ConvolutionalUnit { $0.resNetUnit($2, $1, squeezesAndExcites: false) }
    /// The squeezed width is a sixteenth.
    static let seResnet = ConvolutionalUnit(channelMultiple: 16) { $0.resNetUnit($2, $1, squeezesAndExcites: true) }
}

extension GraphBuilder {
    /// The bottleneck of ResNet (He et al., arXiv 1512.03385, figure 5), with squeeze-and-excitation if asked for (Hu
    /// et al., arXiv 1709.01507, figure 3).
    ///
    ///     H×W×Cin → reduce 1×1 → H×W×M → conv 3×3 → ⌈H/stride⌉×⌈W/stride⌉×M → expand 1×1 → …×Cout, M ≈ 0.375·Cout
    ///
    /// The input is added, projected by `shortcut` where its shape is another; GELU follows the sum.
    mutating func resNetUnit(_ layer: UnitLayer, _ x: ValueID, squeezesAndExcites: Bool) -> ValueID {
        let (name, outputChannels, stride) = (layer.name, layer.outputChannels, layer.stride)
        // First, so that squeeze-and-excitation's last step can add it.
        var shortcut = x
        if stride > 1 || shape(of: x).channels != outputChannels {
            shortcut = convBN(
                name + ".shortcut", x, outputChannels: outputChannels, kernel: 1, stride: stride, activated: false)
        }
        // 0.375·Cout to the nearest multiple of 8, ties up, at least 8.
        let middle = max(8, (3 * outputChannels + 32) / 64 * 8)
        var y = convBN(name + ".reduce", x, outputChannels: middle, kernel: 1)
        y = convBN(name + ".conv", y, outputChannels: middle, kernel: 3, stride: stride)
        y = convBN(name + ".expand", y, outputChannels: outputChannels, kernel: 1, activated: false)
        if squeezesAndExcites { y = squeezeAndExcitation(name + ".se", y) }
        y = append(name + ".add", .add, [shortcut, y])
        return append(name + ".act", .activation(.gelu), [y])
    }

    /// Each channel multiplied by a factor between 0 and 1 that depends on the means of all channels.
    ///
    ///     H×W×C → mean → 1×1×C → fc1, ReLU → 1×1×C/16 → fc2, sigmoid → 1×1×C; scale: H×W×C
    private mutating func squeezeAndExcitation(_ name: String, _ x: ValueID) -> ValueID {
        let channels = shape(of: x).channels
        var s = append(name + ".mean", .meanOverTokens, [x])
        s = linear(name + ".fc1", s, outputChannels: channels / 16)
        s = append(name + ".act", .activation(.relu), [s])
        s = linear(name + ".fc2", s, outputChannels: channels)
        s = append(name + ".gate", .activation(.sigmoid), [s])
        return append(name + ".scale", .channelScale, [x, s])
    }
}
