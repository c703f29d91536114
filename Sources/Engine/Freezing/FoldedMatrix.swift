import CETNetCheckpoint
import CETNetGraph
import CETNetOperators

/// The weights of one layer with everything linear around it folded in.
///
/// - BatchNorm behind: `γ·(y − μ)/√(σ² + ε) + β` scales each output row and shifts its bias.
/// - LayerNorm in front: its scale γ multiplies the columns, and `W·β` joins the bias.
/// - Attention's scale multiplies the rows that make queries.
///
/// Folding is done in double precision, so that it adds one rounding to each weight and no more.
struct FoldedMatrix {
    /// outputs × depth; for a convolution the depth runs over (filter row, filter column, channel).
    private(set) var weights: [Float]
    private(set) var bias: [Float]
    private let depth: Int

    init(_ layer: MatrixLayer, source: any TensorSource) throws {
        switch layer.kind {
        case .linear(let linear):
            try self.init(
                weight: linear.weight, bias: linear.bias, outputs: linear.outputChannels, source: source)
        case .convolution(let convolution):
            try self.init(convolution, source: source)
            moveChannelsLast(channels: convolution.inputChannels / convolution.groups)
        }
        if let norm = layer.batchNorm { try fold(norm, source: source) }
        if let norm = layer.layerNorm { try fold(norm, source: source) }
        if let scale = layer.queryScale {
            for row in 0..<scale.channels { scaleRow(row, by: Double(scale.factor), shift: 0) }
        }
    }

    /// Depthwise weights: outputs × (filter row, filter column).
    init(_ layer: DepthwiseLayer, source: any TensorSource) throws {
        try self.init(layer.convolution, source: source)
        if let norm = layer.batchNorm { try fold(norm, source: source) }
    }

    private init(_ convolution: Convolution, source: any TensorSource) throws {
        try self.init(
            weight: convolution.weight, bias: convolution.bias, outputs: convolution.outputChannels, source: source)
    }

    private init(weight: Parameter, bias: Parameter?, outputs: Int, source: any TensorSource) throws {
        weights = try source.values(weight)
        self.bias = try bias.map { try source.values($0) } ?? [Float](repeating: 0, count: outputs)
        depth = weights.count / outputs
    }

    /// (output, channel, tap) to (output, tap, channel).
    private mutating func moveChannelsLast(channels: Int) {
        let taps = depth / channels
        guard taps > 1 else { return }
        let original = weights
        original.withUnsafeBufferPointer { from in
            weights.withUnsafeMutableBufferPointer { to in
                for output in bias.indices {
                    Layout.planesToPositions(
                        from.baseAddress! + output * depth, tokens: taps, channels: channels, positions: 0..<taps,
                        into: to.baseAddress! + output * depth)
                }
            }
        }
    }

    private mutating func scaleRow(_ row: Int, by factor: Double, shift: Double) {
        weights.withUnsafeMutableBufferPointer { weights in
            for k in row * depth..<(row + 1) * depth { weights[k] = Float(Double(weights[k]) * factor) }
        }
        bias[row] = Float(Double(bias[row]) * factor + shift)
    }

    private mutating func fold(_ norm: BatchNorm, source: any TensorSource) throws {
        let scale = try source.values(norm.weight)
        let shift = try source.values(norm.bias)
        let mean = try source.values(norm.runningMean)
        let variance = try source.values(norm.runningVariance)
        for row in bias.indices {
            let factor = Double(scale[row]) / (Double(variance[row]) + Double(norm.epsilon)).squareRoot()
            scaleRow(row, by: factor, shift: Double(shift[row]) - Double(mean[row]) * factor)
        }
    }

    private mutating func fold(_ norm: LayerNorm, source: any TensorSource) throws {
        let scale = try source.values(norm.weight)
        let shift = try source.values(norm.bias)
        weights.withUnsafeMutableBufferPointer { weights in
            for row in bias.indices {
                var sum = Double(bias[row])
                for k in 0..<depth {
                    let weight = Double(weights[row * depth + k])
                    sum += weight * Double(shift[k])
                    weights[row * depth + k] = Float(weight * Double(scale[k]))
                }
                bias[row] = Float(sum)
            }
        }
    }
}
