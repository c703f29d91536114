import CETNetGraph

extension ConvolutionalUnit {
    /// Two halves.
    static let ghost = ConvolutionalUnit(channelMultiple: 2) { $0.ghostUnit($2, $1) }
}

extension GraphBuilder {
    /// The bottleneck of GhostNet (Han et al., arXiv 1911.11907, figure 3), twice as wide inside as its input.
    ///
    ///     H×W×Cin → ghost1 → H×W×2Cin → dw 3×3, only of stride 2 → ⌈H/2⌉×⌈W/2⌉×2Cin → ghost2 → …×Cout
    ///
    /// The input is added, with stride 2 after a 3×3 depthwise and a 1×1 convolution; no activation follows.
    mutating func ghostUnit(_ layer: UnitLayer, _ x: ValueID) -> ValueID {
        let (name, outputChannels, stride) = (layer.name, layer.outputChannels, layer.stride)
        let channels = shape(of: x).channels
        var y = ghost(name + ".ghost1", x, outputChannels: 2 * channels, activated: true)
        if stride > 1 {
            y = convBN(
                name + ".dw", y, outputChannels: 2 * channels, kernel: 3, stride: stride, groups: 2 * channels,
                activated: false)
        }
        y = ghost(name + ".ghost2", y, outputChannels: outputChannels, activated: false)
        // Last, so that its convolution can add the rest.
        var shortcut = x
        if stride > 1 {
            shortcut = convBN(
                name + ".shortcut.dw", x, outputChannels: channels, kernel: 3, stride: stride, groups: channels,
                activated: false)
            shortcut = convBN(
                name + ".shortcut.project", shortcut, outputChannels: outputChannels, kernel: 1, activated: false)
        }
        return append(name + ".add", .add, [shortcut, y])
    }

    /// A ghost module (arXiv 1911.11907, figure 1b): half of the channels by a 1×1 convolution, the other half from
    /// these by a cheap 3×3 depthwise one.
    private mutating func ghost(_ name: String, _ x: ValueID, outputChannels: Int, activated: Bool) -> ValueID {
        let half = outputChannels / 2
        let primary = convBN(name + ".primary", x, outputChannels: half, kernel: 1, activated: activated)
        let cheap = convBN(
            name + ".cheap", primary, outputChannels: half, kernel: 3, groups: half, activated: activated)
        return append(name + ".concat", .concatenation, [primary, cheap])
    }
}
