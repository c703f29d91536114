import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct LoadingTests {
    private typealias Tensors = [(name: String, shape: [Int], values: [Float])]

    /// The tensors of the tiny model.
    private func tinyTensors(_ directory: TemporaryDirectory) throws -> Tensors {
        try tinyConfiguration().writeRandomModel(seed: 1, to: directory.url.appendingPathComponent("whole"))
        let file = try SafetensorsFile(contentsOf: directory.url.appendingPathComponent("whole/model.safetensors"))
        return try file.tensors.map { ($0.name, $0.shape, try file.values(of: $0.name)) }
    }

    @Test func directoryAndSingleFileAreTheSameModel() throws {
        let directory = try TemporaryDirectory()
        let tensors = try tinyTensors(directory)
        let single = directory.url.appendingPathComponent("tiny.safetensors")
        try SafetensorsWriter.write(tensors, metadata: ["config": TinyModel.configurationJSON], to: single)

        let expected = try tinyModel().logits(images(1))
        let fromDirectory = try Model(path: directory.path("whole"))
        let fromFile = try Model(contentsOf: single)
        for model in [fromDirectory, fromFile] {
            #expect(model.configuration == (try tinyConfiguration()))
            #expect(bits(try model.logits(images(1)).values) == bits(expected.values))
        }
    }

    @Test func shardsAreTheSameModel() throws {
        let directory = try TemporaryDirectory()
        let tensors = try tinyTensors(directory)
        let half = tensors.count / 2
        let shards = [("1.safetensors", tensors[..<half]), ("2.safetensors", tensors[half...])]
        try directory.write(Array(TinyModel.configurationJSON.utf8), to: "shards/config.json")
        for (name, part) in shards {
            try SafetensorsWriter.write(
                Array(part), metadata: [:], to: directory.url.appendingPathComponent("shards/\(name)"))
        }
        let rows = shards.flatMap { name, part in part.map { "\"\($0.name)\": \"\(name)\"" } }
        try directory.write(
            Array("{\"weight_map\": {\(rows.joined(separator: ", "))}}".utf8),
            to: "shards/model.safetensors.index.json")
        let model = try Model(path: directory.path("shards"))
        #expect(bits(try model.logits(images(1)).values) == bits(try tinyModel().logits(images(1)).values))
    }

    @Test func aCheckpointOfPyTorchGivenAsModelIsCalledSo() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array("PK\u{3}\u{4}\0\0\0\0\0\0\0\0".utf8), to: "x.pth")
        do {
            _ = try Model(path: path)
            Issue.record("\(path) is no model")
        } catch {
            #expect("\(error)".contains("PyTorch's own format") && "\(error)".contains("convert.py"), "\(error)")
        }
    }

    @Test func whatIsMissingIsNamed() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: ModelError.noModel(path: directory.path("none"), reason: "no such file or directory")) {
            try Model(path: directory.path("none"))
        }
        #expect(throws: ModelError.noModel(path: directory.url.path, reason: "no config.json in this directory")) {
            try Model(contentsOf: directory.url)
        }
        try directory.write(Array(TinyModel.configurationJSON.utf8), to: "config.json")
        #expect(
            throws: ModelError.noModel(path: directory.url.path, reason: "no model.safetensors in this directory")
        ) {
            try Model(contentsOf: directory.url)
        }
        try directory.write([0], to: "pickled/pytorch_model.bin")
        try directory.write(Array(TinyModel.configurationJSON.utf8), to: "pickled/config.json")
        try directory.write([0], to: "bare/model.safetensors")
        for (name, expected) in [("pickled", "pytorch_model.bin"), ("bare", "no config.json in this directory; ")] {
            do {
                _ = try Model(path: directory.path(name))
                Issue.record("\(name) is no model")
            } catch {
                #expect("\(error)".contains(expected) && "\(error)".contains("convert.py"), "\(error)")
            }
        }
        try SafetensorsWriter.write(
            [(name: "a", shape: [1], values: [0])], metadata: [:],
            to: directory.url.appendingPathComponent("bare.safetensors"))
        #expect(throws: ModelError.noConfiguration(path: directory.path("bare.safetensors"))) {
            try Model(path: directory.path("bare.safetensors"))
        }
    }

    @Test func everyTensorThatDoesNotFitIsListed() throws {
        let directory = try TemporaryDirectory()
        let url = directory.url.appendingPathComponent("changed.safetensors")
        var tensors = try tinyTensors(directory)
        let missing = tensors.remove(at: 5).name
        let last = tensors.count - 1
        let misshapen = ShapeMismatch(
            tensor: tensors[last].name, expected: tensors[last].shape, found: [1] + tensors[last].shape)
        tensors[last].shape.insert(1, at: 0)
        tensors.append((name: "stages.0.extra", shape: [1], values: [0]))
        // PyTorch saves this with every BatchNorm; it is no mistake.
        tensors.append((name: "stem.0.fused.bn.num_batches_tracked", shape: [], values: [0]))
        try SafetensorsWriter.write(tensors, metadata: ["config": TinyModel.configurationJSON], to: url)

        let error = CheckpointError.doesNotFit(
            file: url.path, layout: nil, missing: [missing], unexpected: ["stages.0.extra"], misshapen: [misshapen])
        #expect(throws: error) { try Model(contentsOf: url) }
        #expect(throws: error) { try ModelSummary(contentsOf: url) }
        for text in [missing, "stages.0.extra", misshapen.tensor] {
            #expect("\(error)".contains(text), "\(error)")
        }
    }

    @Test func batchCountersAreIgnored() throws {
        let directory = try TemporaryDirectory()
        let url = directory.url.appendingPathComponent("counted.safetensors")
        var tensors = try tinyTensors(directory)
        tensors.append((name: "stem.0.fused.bn.num_batches_tracked", shape: [], values: [0]))
        try SafetensorsWriter.write(tensors, metadata: ["config": TinyModel.configurationJSON], to: url)
        #expect(try Model(contentsOf: url).parameterCount == tinyModel().parameterCount)
    }

    @Test func aConfigurationThatIsNoneIsRefused() throws {
        let directory = try TemporaryDirectory()
        _ = try tinyTensors(directory)
        for text in ["", "[]", "{\"dims\": 3}", "{\"model_type\": \"bert\"}"] {
            try directory.write(Array(text.utf8), to: "whole/config.json")
            #expect(throws: ConfigurationError.self, "\(text)") { try Model(path: directory.path("whole")) }
        }
        try directory.write([UInt8](repeating: 0x20, count: (64 << 20) + 1), to: "whole/config.json")
        #expect(throws: ModelError.self) { try Model(path: directory.path("whole")) }
    }

    @Test(arguments: [0, -1, 65])
    func optionsOutOfRangeAreRefused(value: Int) throws {
        #expect(throws: ModelError.option(name: "threads", allowed: "1 to 64", found: value)) {
            try tinyModel(threads: value)
        }
        #expect(throws: ModelError.option(name: "concurrency", allowed: "1 to 64", found: value)) {
            try tinyModel(concurrency: value)
        }
    }

    @Test func defaultsUseTheWholeMachine() throws {
        let model = try tinyModel(threads: nil, concurrency: nil)
        #expect(model.threads >= 1)
        #expect(model.concurrency == 1)
        #expect(try tinyModel(threads: 1, concurrency: nil).concurrency == model.threads)
    }
}
