import CETNetCheckpoint
import CETNetGraph

/// What the normalisations around a layer do to its weights: `W' = columnScale · W · depthScale`, and a bias.
///
/// - BatchNorm behind, `γ·(y − μ)/√(σ² + ε) + β`, scales each output and shifts its bias.
/// - LayerNorm in front: its scale γ multiplies the inputs, and `W·β` joins the bias.
/// - Attention's scale multiplies the outputs that are queries.
///
/// Factors and biases are computed in double precision and rounded once.
struct Folding {
    /// One factor per output; `nil` for 1.
    private(set) var columnScale: [Float]?
    /// One factor per input, from the LayerNorm; `nil` for 1.
    private(set) var depthScale: [Float]?
    private(set) var bias: [Float]

    /// - Parameter weights: of the layer, outputs × depth.
    init(_ layer: MatrixLayer, weights: UnsafeBufferPointer<Float>, source: any TensorSource) throws {
        let outputs = layer.outputChannels
        try self.init(bias: layer.bias, outputs: outputs, source: source)
        if let norm = layer.batchNorm { try fold(norm, source: source) }
        if let norm = layer.layerNorm {
            try fold(norm, isOfPatches: layer.gathersPatches, weights: weights, source: source)
        }
        if let scale = layer.queryScale {
            var factors = columnScale ?? [Float](repeating: 1, count: outputs)
            for output in 0..<scale.channels {
                factors[output] *= scale.factor
                bias[output] *= scale.factor
            }
            columnScale = factors
        }
    }

    init(_ layer: DepthwiseLayer, source: any TensorSource) throws {
        try self.init(bias: layer.convolution.bias, outputs: layer.convolution.outputChannels, source: source)
        if let norm = layer.batchNorm { try fold(norm, source: source) }
    }

    private init(bias: Parameter?, outputs: Int, source: any TensorSource) throws {
        self.bias = try bias.map { try source.values($0) } ?? [Float](repeating: 0, count: outputs)
    }

    private mutating func fold(_ norm: BatchNorm, source: any TensorSource) throws {
        let scale = try source.values(norm.weight)
        let shift = try source.values(norm.bias)
        let mean = try source.values(norm.runningMean)
        let variance = try source.values(norm.runningVariance)
        if let channel = variance.firstIndex(where: { !($0 >= 0) }) {
            throw CheckpointError.malformedTensor(
                file: source.sourceName, tensor: norm.runningVariance.name,
                expected: "variances, which are not negative",
                found: "\(variance[channel]) for channel \(channel)")
        }
        columnScale = bias.indices.map { output in
            let factor = Double(scale[output]) / (Double(variance[output]) + Double(norm.epsilon)).squareRoot()
            bias[output] = Float((Double(bias[output]) - Double(mean[output])) * factor + Double(shift[output]))
            return Float(factor)
        }
    }

    private mutating func fold(
        _ norm: LayerNorm, isOfPatches: Bool, weights: UnsafeBufferPointer<Float>, source: any TensorSource
    ) throws {
        var (scale, shift) = (try source.values(norm.weight), try source.values(norm.bias))
        if isOfPatches {
            scale = scale.withUnsafeBufferPointer { PatchOrder.byRows($0, channels: norm.channels / 4) }
            shift = shift.withUnsafeBufferPointer { PatchOrder.byRows($0, channels: norm.channels / 4) }
        }
        depthScale = scale
        let depth = shift.count
        shift.withUnsafeBufferPointer { shift in
            for output in bias.indices {
                let row = UnsafeBufferPointer(rebasing: weights[output * depth..<(output + 1) * depth])
                bias[output] = Float(Double(bias[output]) + Self.dot(row, shift))
            }
        }
    }

    /// Eight sums side by side: one would wait for itself at every step.
    private static func dot(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) -> Double {
        var sums = SIMD8<Double>()
        var index = 0
        while index + 8 <= a.count {
            let x = UnsafeRawPointer(a.baseAddress! + index).loadUnaligned(as: SIMD8<Float>.self)
            let y = UnsafeRawPointer(b.baseAddress! + index).loadUnaligned(as: SIMD8<Float>.self)
            sums += SIMD8<Double>(x) * SIMD8<Double>(y)
            index += 8
        }
        var sum = sums.sum()
        while index < a.count {
            sum += Double(a[index]) * Double(b[index])
            index += 1
        }
        return sum
    }
}
