import CETNetCheckpoint
import CETNetGraph

/// Seeded random values for every tensor of a network, for benchmarks and tests.
///
/// Scaled so that activations neither vanish nor explode at any depth (see ``InitialScale``), and none at its neutral
/// value, so that no tensor can be ignored unnoticed. The same seed gives the same bytes on every machine: integer
/// arithmetic, then one rounded multiplication and addition per value, as IEEE 754 prescribes them. A tensor's values
/// depend on the seed, its name and its scale only, not on what was read before.
package struct SeededTensors: TensorSource {
    private let seed: UInt64
    private let distributions: [String: Distribution]
    /// Every tensor of the network, in execution order.
    package let parameters: [Parameter]
    private let shapes: [String: [Int]]

    package init(network: Network, seed: UInt64) {
        // Tensors' scales do not depend on the image's size.
        self.init(graph: network.graph(imageSize: ImageSize(square: Network.minimumImageSide)), seed: seed)
    }

    package init(graph: Graph, seed: UInt64) {
        self.seed = seed
        parameters = graph.parameters
        distributions = InitialScale.distributions(graph)
        shapes = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
    }

    package var sourceName: String { "random weights of seed \(seed)" }

    package func shape(of name: String) -> [Int]? { shapes[name] }

    package func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        guard let distribution = distributions[name] else {
            throw CheckpointError.missingTensor(file: sourceName, tensor: name)
        }
        var random = BellShapedRandom(seed: seed, name: name)
        let scale = distribution.standardDeviation * BellShapedRandom.inverseStandardDeviation
        for index in destination.indices {
            destination[index] = distribution.mean + scale * Float(random.next())
        }
        if let peak = distribution.peak {
            for index in stride(from: peak.offset, to: destination.count, by: peak.period) {
                destination[index] += peak.height
            }
        }
    }
}

/// What the values of a tensor are drawn from: bell-shaped around `mean`.
struct Distribution: Equatable {
    var mean: Float = 0
    var standardDeviation: Float
    /// Adds `height` to every `period`-th value, beginning with the one at `offset`: the centres of filters.
    var peak: Peak?

    struct Peak: Equatable {
        var height: Float
        var offset: Int
        var period: Int
    }
}

/// Random integers of a bell-shaped distribution: the sum of four uniform 16-bit numbers, centred (Irwin–Hall).
///
/// Never further from zero than 3.5 standard deviations. The bits are SplitMix64's (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014), started from the seed and the tensor's name.
struct BellShapedRandom {
    /// 1 over the standard deviation of four uniform 16-bit numbers' sum, √((2³² − 1) / 3).
    static let inverseStandardDeviation: Float = 2.642_899_8e-5

    private var state: UInt64

    init(seed: UInt64, name: String) {
        // FNV-1a over the name's UTF-8.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        // Seeds are often small and alike; mixing them keeps their sequences apart.
        state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ hash
    }

    /// From −131070 to 131070, exact in float32.
    @inline(__always)
    mutating func next() -> Int32 {
        state &+= 0x9E37_79B9_7F4A_7C15
        let bits = Self.mix(state)
        // Two 16-bit sums in one word, then theirs.
        let pairs = (bits & 0x0000_FFFF_0000_FFFF) &+ (bits >> 16 & 0x0000_FFFF_0000_FFFF)
        return Int32(truncatingIfNeeded: (pairs & 0xFFFF_FFFF) &+ pairs >> 32) &- 131_070
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
