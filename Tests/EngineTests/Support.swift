import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetKernels
import CETNetNetworks
import Foundation
import Testing

/// A way to compute: an instruction-set tier with one of the two backends.
struct Variety: CustomTestStringConvertible, Sendable {
    let kernels: KernelSet
    let backend: Backend
    var testDescription: String { "\(kernels.name) \(backend.rawValue)" }

    /// Every tier of this machine with either backend.
    static let all = KernelSet.usable.flatMap { kernels in
        Backend.allCases.map { Variety(kernels: kernels, backend: $0) }
    }
}

/// Files beside the tests; `Fixtures/README.md` says where they come from.
enum Fixture {
    /// Models with every operator of the full CETNets; the first has F32 weights, and larger outputs.
    static let cetnets = ["tiny", "tiny_window4"]
    /// A model of each layer count, unit and stage choice of the studies of the convolutional embedding.
    static let studies = [
        "ce1", "ce3", "ce7", "pure-mb", "dense", "shuffle", "resnet", "se-resnet", "ghost", "stages0", "stages1",
        "stages2", "stages3",
    ].map { "tiny_" + $0 }
    /// Other backbones, as published and with the convolutional embedding.
    static let backbones = ["swin", "pvt", "ce-pvt", "cvt", "ce-cvt", "cswin"].map { "tiny_" + $0 }
    static let models = cetnets + studies + backbones

    static func file(_ name: String) throws -> SafetensorsFile {
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        return try SafetensorsFile(contentsOf: folder.appendingPathComponent(name))
    }

    /// A model in one file, frozen.
    static func network(
        _ file: SafetensorsFile, _ variety: Variety, precision: Precision = .float32, threads: Int = 1
    ) throws -> (frozen: FrozenNetwork, network: Network) {
        let json = try #require(file.metadata["config"])
        let configuration = try ModelConfiguration(json: Data(json.utf8), source: file.sourceName)
        let network = try Network(configuration)
        let frozen = try FrozenNetwork(
            referenceSize: ImageSize(square: configuration.imageSize), weights: file, backend: variety.backend,
            precision: precision, kernels: variety.kernels, threads: threads,
            makeGraph: { network.graph(imageSize: $0) })
        return (frozen, network)
    }
}

extension Session {
    /// Runs a batch and returns its logits and, if asked for, its feature maps.
    func outputs(
        _ input: [Float], batch: Int, size: ImageSize, features wanted: Bool = false
    ) -> (logits: [Float], features: [[Float]]) {
        outputs([input], batch: batch, size: size, features: wanted)
    }

    /// The same for a graph of several inputs.
    func outputs(
        _ inputs: [[Float]], batch: Int, size: ImageSize, features wanted: Bool = false
    ) -> (logits: [Float], features: [[Float]]) {
        let graph = network.graph(size: size)
        let buffers = graph.outputs.map { output in
            let buffer = UnsafeMutableBufferPointer<Float>.allocate(
                capacity: batch * graph.shape(of: output.value).map.count)
            buffer.initialize(repeating: .nan)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let addresses = zip(graph.outputs, buffers).map { output, buffer in
            wanted || output.name == "logits" ? buffer.baseAddress : nil
        }
        let copies = inputs.map { values in
            let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
            _ = copy.initialize(fromContentsOf: values)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        let sources = copies.map { UnsafePointer($0.baseAddress!) }
        try! run(batch: batch, size: size, inputs: sources, outputs: addresses)
        let values = zip(graph.outputs, buffers).map { (name: $0.name, values: Array($1)) }
        return (
            values.first { $0.name == "logits" }!.values,
            wanted ? values.filter { $0.name != "logits" && $0.name != "class_token" }.map(\.values) : []
        )
    }
}

extension Graph {
    var logits: ValueID { output("logits")! }
    /// All outputs but the logits and a class token.
    var features: [ValueID] { outputs.filter { $0.name != "logits" && !$0.isClassToken }.map(\.value) }
}

/// Fails unless every difference is at most `tolerance` · max(1, largest expected magnitude); NaN fails.
func expectClose(
    _ actual: [Float], _ expected: [Float], tolerance: Float, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what): \(actual.count) values, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let bound = tolerance * max(1, expected.reduce(0) { max($0, abs($1)) })
    for index in actual.indices where !(abs(actual[index] - expected[index]) <= bound) {
        Issue.record(
            "\(what): element \(index) is \(actual[index]), expected \(expected[index]) ± \(bound)",
            sourceLocation: sourceLocation)
        return
    }
}
