import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks
import Foundation

/// Seeded random weights for every tensor of a model, scaled so that activations neither vanish nor explode.
///
/// Weights are uniform around zero. Their width follows from the mean square of what they multiply, which is carried
/// through the graph from the image on (1, as normalised images have), so that every convolution and linear layer
/// gives a mean square of 1, as He et al. (arXiv 1502.01852) do for one activation. Biases, scales and running
/// statistics vary too, so that a test with these weights sees each of them.
///
/// Only integer arithmetic and exact float32 steps are used: the same seed gives the same bytes on every machine.
package struct RandomWeights: TensorSource {
    /// Values are `centre + halfWidth · u`, u uniform in [−1, 1).
    private struct Distribution {
        var shape: [Int]
        var centre: Float
        var halfWidth: Float
    }

    private let seed: UInt64
    private let distributions: [String: Distribution]
    /// Every tensor, in the model's order.
    package let parameters: [Parameter]
    package let sourceName: String

    package init(network: Network, seed: UInt64) {
        // Fan-ins do not depend on the image size.
        let graph = network.graph(imageSize: ImageSize(square: Network.minimumImageSide))
        self.seed = seed
        sourceName = "random weights of seed \(seed)"
        parameters = graph.parameters
        distributions = Self.distributions(graph)
    }

    package func shape(of name: String) -> [Int]? { distributions[name]?.shape }

    package func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        guard let distribution = distributions[name] else {
            preconditionFailure("\(sourceName) have no tensor \(name)")
        }
        // Each tensor has a sequence of its own, so that the order of reading does not matter.
        var generator = SplitMix64(state: seed ^ Self.hash(name))
        for index in destination.indices {
            destination[index] = distribution.centre + distribution.halfWidth * generator.nextUniform()
        }
    }

    /// FNV-1a over the name's UTF-8.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Goes through the graph in execution order and gives every tensor its distribution.
    private static func distributions(_ graph: Graph) -> [String: Distribution] {
        var distributions: [String: Distribution] = [:]
        var meanSquares: [Float] = []

        func set(_ parameter: Parameter?, centre: Float, halfWidth: Float) {
            guard let parameter else { return }
            distributions[parameter.name] = Distribution(
                shape: parameter.shape, centre: centre, halfWidth: halfWidth)
        }
        /// A uniform distribution of half width h has the variance h²/3.
        func halfWidth(fanIn: Int, meanSquare: Float) -> Float {
            (3 / (Float(fanIn) * meanSquare)).squareRoot()
        }

        for node in graph.nodes {
            let inputs = node.inputs.map { meanSquares[$0.index] }
            switch node.operator {
            case .input:
                meanSquares.append(1)
            case .convolution(let convolution):
                let fanIn = convolution.inputChannels / convolution.groups * convolution.kernel * convolution.kernel
                set(convolution.weight, centre: 0, halfWidth: halfWidth(fanIn: fanIn, meanSquare: inputs[0]))
                set(convolution.bias, centre: 0, halfWidth: 0.1)
                meanSquares.append(1)
            case .linear(let linear):
                set(
                    linear.weight, centre: 0,
                    halfWidth: halfWidth(fanIn: linear.inputChannels, meanSquare: inputs[0]))
                set(linear.bias, centre: 0, halfWidth: 0.1)
                meanSquares.append(1)
            case .batchNorm(let norm):
                set(norm.weight, centre: 1, halfWidth: 0.25)
                set(norm.bias, centre: 0, halfWidth: 0.1)
                set(norm.runningMean, centre: 0, halfWidth: 0.1)
                set(norm.runningVariance, centre: 1, halfWidth: 0.25)
                meanSquares.append(inputs[0])
            case .layerNorm(let norm):
                set(norm.weight, centre: 1, halfWidth: 0.25)
                set(norm.bias, centre: 0, halfWidth: 0.1)
                meanSquares.append(1)
            case .activation:
                // E[GELU(z)²] of a standard normal z is 0.425.
                meanSquares.append(0.425 * inputs[0])
            case .windowAttention(let attention):
                set(attention.relativePositionBiasTable, centre: 0, halfWidth: 1)
                meanSquares.append(inputs[0])
            case .add:
                meanSquares.append(inputs[0] + inputs[1])
            case .meanOverTokens:
                meanSquares.append(inputs[0])
            }
        }
        return distributions
    }
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in [−1, 1) in steps of 2⁻²³, each exact in float32.
    mutating func nextUniform() -> Float {
        Float(next() >> 40) * 0x1p-23 - 1
    }
}
