import CETNetGraph

/// How large the random values of each tensor have to be.
///
/// The mean square of every activation is followed through the graph from the image on, 1 as normalised images have
/// it; a layer's weights get the standard deviation that brings its output's mean square to 1, as He et al.
/// (arXiv 1502.01852) do for one kind of activation. Two places need more:
///
/// - A residual branch ends in 1/√(the stage's residuals), so that a stage of any depth about doubles the mean square
///   of its input.
/// - A depthwise convolution with bias (the LEWin block's) has no residual around it. Random filters one after another
///   would amplify some frequencies without bound and lose the others, so that it is nearly the identity.
enum InitialScale {
    /// Mean square of GELU(z) for standard normal z.
    private static let activationMeanSquare: Float = 0.425
    /// Mean square of sigmoid(z) for standard normal z.
    private static let sigmoidMeanSquare: Float = 0.293
    /// Mean square of softmax-weighted means of values of mean square 1, as measured: scores have a spread of about
    /// one, and neighbouring tokens are alike.
    private static let attentionMeanSquare: Float = 0.3
    /// Mean square of layer-normalised tokens' mean, as measured.
    private static let pooledMeanSquare: Float = 0.8
    private static let biasDeviation: Float = 0.1
    private static let positionDeviation: Float = 0.3

    /// The distribution of every tensor of a graph.
    static func distributions(_ graph: Graph) -> [String: Distribution] {
        let damping = residualDamping(graph)
        var distributions: [String: Distribution] = [:]
        var meanSquares: [Float] = []

        /// Sets weight and bias of a layer and returns its output's mean square.
        func setLayer(_ weight: Parameter, _ bias: Parameter?, fanIn: Int, input: Float, gain: Float) -> Float {
            distributions[weight.name] = Distribution(standardDeviation: gain / (Float(fanIn) * input).squareRoot())
            if let bias { distributions[bias.name] = Distribution(standardDeviation: gain * biasDeviation) }
            return gain * gain
        }
        func setScale(_ weight: Parameter, _ bias: Parameter, gain: Float) {
            distributions[weight.name] = Distribution(mean: gain, standardDeviation: 0.1 * gain)
            distributions[bias.name] = Distribution(standardDeviation: biasDeviation * gain)
        }

        for node in graph.nodes {
            let inputs = node.inputs.map { meanSquares[$0.index] }
            let gain = damping[node.output] ?? 1
            switch node.operator {
            case .input:
                meanSquares.append(1)
            case .convolution(let convolution) where convolution.isDepthwise && convolution.bias != nil:
                let taps = convolution.kernel * convolution.kernel
                distributions[convolution.weight.name] = Distribution(
                    standardDeviation: 0.03, peak: .init(height: 0.97, offset: taps / 2, period: taps))
                distributions[convolution.bias!.name] = Distribution(standardDeviation: 0.03)
                meanSquares.append(inputs[0])
            case .convolution(let convolution):
                let fanIn = convolution.inputChannels / convolution.groups * convolution.kernel * convolution.kernel
                meanSquares.append(
                    setLayer(convolution.weight, convolution.bias, fanIn: fanIn, input: inputs[0], gain: gain))
            case .linear(let linear):
                meanSquares.append(
                    setLayer(linear.weight, linear.bias, fanIn: linear.inputChannels, input: inputs[0], gain: gain))
            case .batchNorm(let norm):
                setScale(norm.weight, norm.bias, gain: gain)
                distributions[norm.runningMean.name] = Distribution(standardDeviation: 0.1 * inputs[0].squareRoot())
                distributions[norm.runningVariance.name] = Distribution(
                    mean: inputs[0], standardDeviation: 0.15 * inputs[0])
                meanSquares.append(gain * gain)
            case .layerNorm(let norm):
                setScale(norm.weight, norm.bias, gain: 1)
                meanSquares.append(1)
            case .activation(.gelu), .activation(.quickGELU):
                meanSquares.append(activationMeanSquare * inputs[0])
            case .activation(.relu):
                meanSquares.append(inputs[0] / 2)
            case .activation(.sigmoid):
                meanSquares.append(sigmoidMeanSquare)
            case .windowAttention(let attention):
                distributions[attention.relativePositionBiasTable.name] = Distribution(standardDeviation: 0.3)
                meanSquares.append(attentionMeanSquare * inputs[0])
            case .globalAttention:
                meanSquares.append(attentionMeanSquare * inputs.last!)
            case .crossShapedAttention(let attention):
                // Positions' part is as large as attention's own.
                for branch in attention.branches {
                    _ = setLayer(
                        branch.weight, branch.bias, fanIn: 9, input: inputs[0], gain: attentionMeanSquare.squareRoot())
                }
                meanSquares.append(2 * attentionMeanSquare * inputs[0])
            case .appendClassToken(let token):
                // As large as the map's tokens, which have been normalised.
                distributions[token.parameter.name] = Distribution(standardDeviation: 1)
                meanSquares.append(inputs[0])
            case .carryClassToken, .takeClassToken:
                meanSquares.append(inputs[0])
            case .positionEmbedding(let positions):
                distributions[positions.parameter.name] = Distribution(standardDeviation: positionDeviation)
                meanSquares.append(inputs[0] + positionDeviation * positionDeviation)
            case .add:
                meanSquares.append(inputs[0] + inputs[1])
            case .concatenation:
                let widths = node.inputs.map { Float(graph.shape(of: $0).channels) }
                meanSquares.append(zip(inputs, widths).reduce(0) { $0 + $1.0 * $1.1 } / Float(node.shape.channels))
            case .channelShuffle:
                meanSquares.append((inputs[0] + inputs[1]) / 2)
            case .channelScale:
                meanSquares.append(inputs[0] * inputs[1])
            case .channelSlice, .patchGathering, .bilinearResize, .zeroPadding, .adaptiveAveragePooling:
                meanSquares.append(inputs[0])
            case .meanOverTokens:
                meanSquares.append(pooledMeanSquare * inputs[0])
            }
        }
        return distributions
    }

    /// The gain of the last layers of each residual branch: of those that the second input of an addition comes from.
    ///
    /// A sum that an activation follows needs none: the activation takes away as much as the branch adds.
    private static func residualDamping(_ graph: Graph) -> [ValueID: Float] {
        var activated: Set<ValueID> = []
        for node in graph.nodes {
            if case .activation = node.operator { activated.formUnion(node.inputs) }
        }
        let residuals = graph.nodes.filter { $0.operator == .add && !activated.contains($0.output) }
        let counts = Dictionary(grouping: residuals, by: \.stage).mapValues(\.count)
        var damping: [ValueID: Float] = [:]
        for residual in residuals { damping[residual.inputs[1]] = 1 / Float(counts[residual.stage]!).squareRoot() }
        // A concatenation has no weights; what it is made of has.
        for node in graph.nodes.reversed() where node.operator == .concatenation {
            if let gain = damping[node.output] { for input in node.inputs { damping[input] = gain } }
        }
        return damping
    }
}
