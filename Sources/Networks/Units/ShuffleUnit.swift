import CETNetGraph

extension ConvolutionalUnit {
    /// Two halves.
    static let shuffle = ConvolutionalUnit(channelMultiple: 2) { $0.shuffleUnit($2, $1) }
}

extension GraphBuilder {
    /// The unit of ShuffleNet V2 (Ma et al., arXiv 1807.11164, figure 3c, d), widened inside. h = outputChannels / 2.
    ///
    ///     right: expand 1×1 → …×M → dw 3×3 → ⌈H/stride⌉×⌈W/stride⌉×M → project 1×1 → …×h
    ///
    /// Stride 1: the left half of the channels stays, the right half goes through the layers, M = 4h. Stride 2:
    /// both halves are made from the whole input, M = 2h on the right; on the left left_dw 3×3, left_project 1×1.
    /// The halves' channels then alternate, left first. No residual.
    mutating func shuffleUnit(_ layer: UnitLayer, _ x: ValueID) -> ValueID {
        let (name, outputChannels, stride) = (layer.name, layer.outputChannels, layer.stride)
        let (channels, half) = (shape(of: x).channels, outputChannels / 2)
        var (left, right) = (x, x)
        if stride == 1 {
            left = append(name + ".left", .channelSlice(0..<half), [x])
            right = append(name + ".right", .channelSlice(half..<channels), [x])
        } else {
            left = convBN(
                name + ".left_dw", x, outputChannels: channels, kernel: 3, stride: stride, groups: channels,
                activated: false)
            left = convBN(name + ".left_project", left, outputChannels: half, kernel: 1)
        }
        let middle = stride == 1 ? 4 * half : outputChannels
        right = convBN(name + ".expand", right, outputChannels: middle, kernel: 1)
        right = convBN(
            name + ".dw", right, outputChannels: middle, kernel: 3, stride: stride, groups: middle, activated: false)
        right = convBN(name + ".project", right, outputChannels: half, kernel: 1)
        return append(name + ".shuffle", .channelShuffle, [left, right])
    }
}
