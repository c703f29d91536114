import CETNet
import CETNetCheckpoint
import CETNetNetworks
import CETNetPublicCheckpoints
import Foundation
import TestSupport

/// A JSON text as a tree.
func json(_ text: String) throws -> JSONValue { try ModelConfiguration.parse(json: Data(text.utf8), source: "test") }

/// The configuration that files with these texts describe; the classifier has `labels` rows.
func publicConfiguration(_ text: String, preprocessor: String? = nil, labels: Int? = 3) throws -> PublicConfiguration? {
    try PublicConfiguration(
        PublicConfiguration.Files(
            configuration: json(text), source: "config.json", preprocessor: preprocessor.map(json),
            preprocessorSource: "preprocessor_config.json")
    ) { _ in labels }
}

/// What the description of the error is that `body` throws; empty if it throws none.
func message(_ body: () throws -> Any?) -> String {
    do {
        _ = try body()
        return ""
    } catch {
        return "\(error)"
    }
}

/// A small model of each backbone, with every part in it.
func smallConfiguration(_ block: ModelConfiguration.Block, labels: Int = 3) throws -> ModelConfiguration {
    let stages = block.stageCount
    var configuration = ModelConfiguration(
        dims: Array([8, 16, 32, 64].prefix(stages)), depths: Array([2, 1, 3, 1].prefix(stages)),
        numHeads: Array([2, 2, 4, 4].prefix(stages)), block: block, embeddings: block.publishedEmbeddings,
        windowSize: 5, imageSize: 64)
    configuration.setLabelCount(labels)
    return configuration
}

/// A tensor on its way into a file.
typealias NamedTensor = (name: String, shape: [Int], values: [Float])

/// A random model of a small configuration in a layout's names; where the layout has a tensor in parts, in parts.
func tensors(of configuration: ModelConfiguration, in layout: Layout?, directory: TemporaryDirectory) throws
    -> [NamedTensor]
{
    let own = directory.url.appendingPathComponent("own")
    try configuration.writeRandomModel(seed: 7, to: own, replacing: true)
    let file = try SafetensorsFile(contentsOf: own.appendingPathComponent("model.safetensors"))
    return try file.tensors.flatMap { tensor -> [NamedTensor] in
        let values = try file.values(of: tensor.name)
        let names = layout.map { $0.theirNames(of: tensor.name, depths: configuration.depths) } ?? [tensor.name]
        let count = values.count / names.count
        let shape = names.count == 1 ? tensor.shape : [tensor.shape[0] / names.count] + tensor.shape.dropFirst()
        return names.enumerated().map { ($1, shape, Array(values[$0 * count..<($0 + 1) * count])) }
    }
}

/// Writes a model directory.
func write(
    _ tensors: [NamedTensor], configuration: Data, to directory: TemporaryDirectory, _ name: String
) throws -> URL {
    try directory.write(Array(configuration), to: "\(name)/config.json")
    let url = directory.url.appendingPathComponent(name)
    try SafetensorsWriter.write(tensors, to: url.appendingPathComponent("model.safetensors"))
    return url
}

func image(_ side: Int) throws -> Tensor {
    try Tensor(shape: [1, 3, side, side], values: TinyModel.pixels(3 * side * side, seed: 3))
}
