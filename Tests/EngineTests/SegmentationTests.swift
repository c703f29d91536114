import CETNetCheckpoint
import CETNetEngine
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
    /// Maps, logits, and the labels that the logits say, at the input's size and at another. Two images have the
    /// results of each alone, on any number of threads.
    @Test(arguments: Variety.all, Fixture.segmentation)
    func mapsLogitsAndLabels(_ variety: Variety, model: String) throws {
        let outputs = try Fixture.file(model + "_outputs.safetensors")
        let (frozen, network) = try Fixture.network(try Fixture.file(model + ".safetensors"), variety)
        for input in outputs.tensors.filter({ $0.name.hasSuffix("/input") }) {
            let size = String(input.name.dropLast("/input".count))
            let name = "\(variety.testDescription) \(model) \(size)"
            let imageSize = ImageSize(height: input.shape[2], width: input.shape[3])
            let pixels = try outputs.values(of: input.name)
            let images = input.shape[0]
            let result = try Session(network: frozen, threads: 2).outputs(
                pixels, batch: images, size: imageSize, features: true)
            expectClose(
                result.logits, try outputs.values(of: size + "/logits"), tolerance: NetworkFixtureTests.tolerance,
                "\(name) logits")
            for (stage, map) in result.features.enumerated() {
                expectClose(
                    map, try outputs.values(of: "\(size)/stage\(stage + 1)"), tolerance: NetworkFixtureTests.tolerance,
                    "\(name) stage \(stage + 1)")
            }
            let last = try Session(network: frozen, threads: 3).outputs(
                Array(pixels.suffix(pixels.count / images)), batch: 1, size: imageSize)
            #expect(last.logits == Array(result.logits.suffix(result.logits.count / images)), "\(name), alone")

            let from = network.graph(imageSize: imageSize)
            let map = from.shape(of: from.logits)
            let resized = try outputs.shape(of: size + "/resized_labels").map { ImageSize(height: $0[1], width: $0[2]) }
            for (labels, to) in [("labels", imageSize), ("resized_labels", try #require(resized))] {
                let expected = try outputs.values(of: "\(size)/\(labels)").map { Int32($0) }
                var found = [Int32](repeating: -1, count: expected.count)
                for image in 0..<images {
                    try found.withUnsafeMutableBufferPointer { found in
                        try result.logits.withUnsafeBufferPointer { logits in
                            try LabelMap(
                                from: map.size, classes: map.channels, through: imageSize, to: to,
                                kernels: variety.kernels
                            ).labels(
                                logits.baseAddress! + image * map.count, into: found.baseAddress! + image * to.area,
                                threads: 2)
                        }
                    }
                }
                // A pixel whose two largest logits are nearly equal may go either way: one in a thousand at most.
                let others = zip(found, expected).count { $0 != $1 }
                #expect(others <= expected.count / 1000, "\(name) \(labels): \(others) of \(expected.count) differ")
            }
        }
    }

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
