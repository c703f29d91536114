import CETNetCheckpoint
import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

extension Fixture {
    /// Segmentation models on backbones of every kind that windows have.
    static let segmentation = ["cetnet", "ce-swin", "swin"].map { "tiny_\($0)-upernet" }
}

/// Segmentation models against PyTorch.
@Suite struct SegmentationTests {
    /// The graph, computed as its operators are defined, in double precision as the reference: rounding of what files
    /// hold in float32 is all that may differ.
    @Test(arguments: Fixture.segmentation) func graphsAreThoseOfPyTorch(model: String) throws {
        let file = try Fixture.file(model + ".safetensors")
        let outputs = try Fixture.file(model + "_outputs.safetensors")
        let json = try #require(file.metadata["config"])
        let network = try Network(ModelConfiguration(json: Data(json.utf8), source: model))
        let names = network.parameters.map { "\($0.name) \($0.shape)" }
        let written = file.tensors.map { "\($0.name) \($0.shape)" }.filter { !$0.contains(".num_batches_tracked") }
        #expect(names.sorted() == written.sorted())

        let tensors = try Dictionary(
            uniqueKeysWithValues: network.parameters.map { ($0.name, try file.values(of: $0.name)) })
        let interpreter = GraphInterpreter(tensors: tensors)
        for input in outputs.tensors.filter({ $0.name.hasSuffix("/input") }) {
            let size = String(input.name.dropLast("/input".count))
            let graph = network.graph(imageSize: ImageSize(height: input.shape[2], width: input.shape[3]))
            let pixels = try outputs.values(of: input.name)
            let count = pixels.count / input.shape[0]
            for image in 0..<input.shape[0] {
                let values = interpreter.run(
                    graph, inputs: ["image": Array(pixels[image * count..<(image + 1) * count])])
                for output in graph.outputs {
                    let shape = graph.shape(of: output.value)
                    let expected = try outputs.values(of: "\(size)/\(output.name)")
                    // Channels first, as PyTorch has them.
                    let planes = (0..<shape.count).map { index in
                        Float(values[output.value.index][index % shape.tokens * shape.channels + index / shape.tokens])
                    }
                    expectClose(
                        planes, Array(expected[image * shape.count..<(image + 1) * shape.count]), tolerance: 1e-6,
                        "\(model) \(size) \(output.name), image \(image)")
                }
            }
        }
    }
}
