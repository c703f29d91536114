import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import Testing

/// Whole networks against PyTorch in double precision: small models with every part, odd sizes, several batches.
@Suite struct NetworkFixtureTests {
    /// These networks have about 60 layers one after another; each adds some units in the last place relative to its
    /// largest activation. Measured: at most 2e-6. The same layers in float32 by PyTorch differ by as much.
    static let tolerance: Float = 1e-5

    @Test(arguments: Variety.all, Fixture.models)
    func logitsAndFeatures(_ variety: Variety, model: String) throws {
        let outputs = try Fixture.file(model + "_outputs.safetensors")
        let (frozen, _) = try Fixture.network(try Fixture.file(model + ".safetensors"), variety)
        let session = try Session(network: frozen, threads: 2, sharesProcessors: false)
        let inputs = outputs.tensors.filter { $0.name.hasSuffix("/input") }
        #expect(inputs.count >= 2)
        for input in inputs {
            let name = String(input.name.dropLast("/input".count))
            let size = ImageSize(height: input.shape[2], width: input.shape[3])
            let result = session.outputs(
                try outputs.values(of: input.name), batch: input.shape[0], size: size, features: true)
            expectClose(
                result.logits, try outputs.values(of: name + "/logits"), tolerance: Self.tolerance,
                "\(variety.testDescription) \(model) \(name) logits")
            for (stage, map) in result.features.enumerated() {
                expectClose(
                    map, try outputs.values(of: "\(name)/stage\(stage + 1)"), tolerance: Self.tolerance,
                    "\(variety.testDescription) \(model) \(name) stage \(stage + 1)")
            }
        }
    }

    /// The tensors that a network asks for are those that PyTorch wrote: names, shapes, none left out.
    @Test(arguments: Fixture.models) func tensors(model: String) throws {
        let file = try Fixture.file(model + ".safetensors")
        let (_, network) = try Fixture.network(file, Variety.all[0])
        func lines(_ tensors: [(name: String, shape: [Int])]) -> [String] {
            tensors.map { "\($0.name) \($0.shape)" }.sorted()
        }
        let wanted = network.graph(imageSize: ImageSize(square: 64)).parameters.map { ($0.name, $0.shape) }
        let written = file.tensors.map { ($0.name, $0.shape) }.filter { !$0.0.hasSuffix(".num_batches_tracked") }
        #expect(lines(wanted) == lines(written))
    }
}
