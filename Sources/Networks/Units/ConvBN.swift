import CETNetGraph

extension GraphBuilder {
    /// ConvBN: a convolution without bias, batch normalisation, and GELU unless `activated` is false.
    ///
    /// Padding is half the kernel, so that stride 1 keeps H×W and stride 2 gives ⌈H/2⌉×⌈W/2⌉.
    /// Tensors: `name.conv.weight`, `name.bn.{weight,bias,running_mean,running_var}`.
    mutating func convBN(
        _ name: String, _ x: ValueID, outputChannels: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
        activated: Bool = true
    ) -> ValueID {
        let convolution = Convolution(
            name: name + ".conv", inputChannels: shape(of: x).channels, outputChannels: outputChannels, kernel: kernel,
            stride: stride, padding: kernel / 2, groups: groups, bias: false)
        var y = append(name + ".conv", .convolution(convolution), [x])
        y = append(name + ".bn", .batchNorm(BatchNorm(name: name + ".bn", channels: outputChannels)), [y])
        return activated ? append(name + ".act", .activation(.gelu), [y]) : y
    }

    /// Adds a unit's input to its output where both have the same shape, as the units of a convolutional embedding do;
    /// no activation follows.
    mutating func residual(_ layer: UnitLayer, _ x: ValueID, _ y: ValueID) -> ValueID {
        guard layer.stride == 1, shape(of: x) == shape(of: y) else { return y }
        return append(layer.name + ".add", .add, [x, y])
    }
}
