import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks
import Testing

struct SeededTensorsTests {
    private func tensors(seed: UInt64, _ change: (inout ModelConfiguration) -> Void = { _ in }) throws -> SeededTensors
    {
        try SeededTensors(network: Network(smallConfiguration(change)), seed: seed)
    }

    private func statistics(_ values: [Float]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        return (mean, variance.squareRoot())
    }

    @Test func everyTensorOfTheNetworkIsThere() throws {
        let network = try Network(smallConfiguration())
        let tensors = SeededTensors(network: network, seed: 1)
        #expect(tensors.parameters == network.graph(imageSize: ImageSize(square: 64)).parameters)
        for parameter in tensors.parameters {
            #expect(tensors.shape(of: parameter.name) == parameter.shape)
            let values = try tensors.values(of: parameter.name)
            #expect(values.count == parameter.count)
            #expect(values.allSatisfy { $0.isFinite }, "\(parameter.name)")
            // One may be neutral by chance, about one in a hundred thousand.
            let neutral = values.filter { $0 == 0 || $0 == 1 }
            #expect(neutral.count <= 1, "\(parameter.name)")
            if parameter.role == .runningVariance || parameter.role == .scale {
                #expect(values.allSatisfy { $0 > 0 }, "\(parameter.name)")
            }
        }
        #expect(tensors.shape(of: "none") == nil)
        #expect(throws: CheckpointError.missingTensor(file: "random weights of seed 1", tensor: "none")) {
            try tensors.values(of: "none")
        }
    }

    /// Computed apart from this code, by the definitions of FNV-1a, SplitMix64 and IEEE 754.
    @Test func valuesAreThoseOfTheDefinition() throws {
        let values = try tensors(seed: 42) { $0.setLabels(["a", "b", "c"]) }.values(of: "head.bias")
        #expect(values.map(\.bitPattern) == [0x3DAA_4841, 0x3D76_7888, 0x3DE6_3E61])
    }

    /// The same bytes on every machine: a checksum (FNV-1a) over all tensors.
    @Test func bytesAreTheSameOnEveryMachine() throws {
        let tensors = try tensors(seed: 7)
        var checksum: UInt64 = 0xCBF2_9CE4_8422_2325
        for parameter in tensors.parameters {
            for value in try tensors.values(of: parameter.name) {
                checksum = (checksum ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3
            }
        }
        #expect(checksum == 0xC494_011B_3928_CD4E, "0x\(String(checksum, radix: 16))")
    }

    @Test func valuesDependOnSeedAndNameButNotOnOrder() throws {
        let tensors = try tensors(seed: 7)
        let names = tensors.parameters.map(\.name)
        let forwards = try names.map { try tensors.values(of: $0) }
        let backwards = try names.reversed().map { try tensors.values(of: $0) }
        #expect(forwards == backwards.reversed())
        #expect(Set(forwards).count == forwards.count, "no two tensors are alike")
        let other = try self.tensors(seed: 8)
        for (name, values) in zip(names, forwards) {
            #expect(try other.values(of: name) != values, "\(name)")
        }
    }

    /// Weights bring the mean square of what they read to 1: deviation = 1 / √(fan-in · mean square).
    @Test func weightsAreScaledByFanIn() throws {
        let tensors = try SeededTensors(network: Network(ModelConfiguration(variant: "cetnet-t")), seed: 3)
        let residuals = 1 / 36.0.squareRoot()  // stage 2 has 4 + 2 · 16 residuals
        for (name, expected) in [
            ("stem.0.fused.conv.weight", 1 / 27.0.squareRoot()),
            // Reads stage 0's output: 1 after the norm, and 0.8 by four of the five residuals, 1/5 each.
            ("stages.1.embed.layers.0.expand.conv.weight", 1 / (64 * 1.8).squareRoot()),
            ("stages.1.embed.layers.0.project.conv.weight", 1 / (128 * 0.425).squareRoot()),
            ("stages.2.blocks.7.attn.qkv.weight", 1 / 256.0.squareRoot()),
            ("stages.2.blocks.7.mlp.fc1.weight", 1 / 256.0.squareRoot()),
            ("stages.2.blocks.7.mlp.fc2.weight", residuals / (1024 * 0.425).squareRoot()),
        ] {
            let values = try tensors.values(of: name)
            let (mean, deviation) = statistics(values)
            // Five standard errors of the mean, and of the deviation (which for this distribution is below 0.7/√n).
            let error = 5 / Double(values.count).squareRoot()
            #expect(!(abs(mean) > error * expected), "\(name): mean \(mean)")
            #expect(!(abs(deviation / expected - 1) > 0.7 * error), "\(name): deviation \(deviation), not \(expected)")
        }
    }

    @Test func localConvolutionsAreNearlyTheIdentity() throws {
        let values = try tensors(seed: 5) { $0.depths = [1, 1, 4, 1] }.values(of: "stages.2.blocks.3.local.weight")
        for (index, value) in values.enumerated() {
            let expected: Float = index % 9 == 4 ? 0.97 : 0
            #expect(abs(value - expected) < 0.11, "tap \(index): \(value)")
        }
    }

    @Test func valuesAreBellShapedAndBounded() throws {
        let tensors = try SeededTensors(network: Network(ModelConfiguration(variant: "cetnet-t")), seed: 11)
        let values = try tensors.values(of: "stages.3.blocks.0.attn.qkv.weight").map { Double($0) * 512.0.squareRoot() }
        #expect(values.allSatisfy { abs($0) < 3.47 })
        // Of the sum of four uniform numbers, 0.6693 lie within one standard deviation (Irwin–Hall, n = 4).
        let within = Double(values.count { abs($0) < 1 }) / Double(values.count)
        #expect(abs(within - 0.669278) < 5 * 0.5 / Double(values.count).squareRoot(), "\(within)")
    }
}
