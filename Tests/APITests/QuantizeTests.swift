import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// Quantised models: written, loaded, and what can be wrong with one.
@Suite struct QuantizeTests {
    /// With each kind of layer whose weights are rounded: projections and perceptrons behind a LayerNorm, merged patches,
    /// convolutions of 1×1, 2×2 and 3×3 with and without BatchNorm, queries apart from keys; odd depths among them.
    private static let configurations: [(name: String, make: @Sendable () throws -> ModelConfiguration)] = [
        ("lewin", tinyConfiguration),
        ("swin", { small(.swin, [.patch, .merge, .merge, .merge]) }),
        ("pvt", { small(.pvt, [.patch, .ce, .patch, .patch]) }),
        ("cvt", { small(.cvt, [.conv, .conv, .conv]) }),
        ("cswin", { small(.cswin, [.conv, .conv, .ce, .conv]) }),
        ("odd", { try variantOfOddWidths() }),
    ]

    private static func small(
        _ block: ModelConfiguration.Block, _ embeddings: [ModelConfiguration.Embedding]
    ) -> ModelConfiguration {
        let stages = embeddings.count
        var configuration = ModelConfiguration(
            dims: Array([16, 24, 32, 48].prefix(stages)), depths: [Int](repeating: 1, count: stages),
            numHeads: [Int](repeating: 2, count: stages), block: block, embeddings: embeddings, stemChannels: [4, 6],
            imageSize: 64)
        configuration.setLabelCount(3)
        return configuration
    }

    /// No depth is a multiple of the numbers in a word.
    private static func variantOfOddWidths() throws -> ModelConfiguration {
        var configuration = ModelConfiguration(
            dims: [9, 15, 21, 27], depths: [1, 1, 1, 1], numHeads: [3, 3, 3, 3], stemChannels: [5, 7], imageSize: 64)
        configuration.setLabelCount(3)
        return configuration
    }

    /// A model in float32 and the same quantised, `original` and `quantised` in a directory.
    private func quantised(
        _ configuration: ModelConfiguration, _ precision: Precision
    ) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try configuration.writeRandomModel(seed: 3, to: directory.url.appendingPathComponent("original"))
        try Model.quantize(
            contentsOf: directory.url.appendingPathComponent("original"), precision: precision,
            to: directory.url.appendingPathComponent("quantised"))
        return directory
    }

    private func file(_ directory: TemporaryDirectory, _ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(contentsOf: directory.url.appendingPathComponent(name + "/model.safetensors"))
    }

    @Test(arguments: configurations.map(\.name), [Precision.bfloat16, .int8])
    func sameBits(_ name: String, _ precision: Precision) throws {
        let configuration = try Self.configurations.first { $0.name == name }!.make()
        let directory = try quantised(configuration, precision)
        // No multiple of the windows: padded tokens take part.
        let images = try images(2, 75, 90)
        let expected = try Model(
            path: directory.path("original"), options: Model.Options(precision: precision, threads: 2))
        let found = try Model(path: directory.path("quantised"), options: Model.Options(threads: 1))
        #expect(found.precision == precision && found.configuration.precision == precision)
        #expect(found.weightBytes == expected.weightBytes)
        #expect(bits(try found.logits(images).values) == bits(try expected.logits(images).values), "\(name)")
        for (stage, pair) in zip(try found.features(images), try expected.features(images)).enumerated() {
            #expect(bits(pair.0.values) == bits(pair.1.values), "\(name), stage \(stage + 1)")
        }
    }

    /// The format that Documentation/ModelFiles.md describes.
    @Test func tensorsOfAFile() throws {
        let int8 = try file(quantised(tinyConfiguration(), .int8), "quantised")
        let expected: [(String, ElementType?, [Int]?)] = [
            ("stages.1.blocks.0.attn.qkv.weight", .i8, [192, 64]),
            ("stages.1.blocks.0.attn.qkv.weight_scale", .f32, [192]),
            ("stages.1.blocks.0.attn.qkv.folded_bias", .f32, [192]), ("stages.1.blocks.0.attn.qkv.bias", .f32, [192]),
            ("stages.1.blocks.0.norm1.weight", nil, nil), ("stages.1.blocks.0.attn.proj.weight", .i8, [64, 64]),
            ("stages.1.blocks.0.attn.proj.folded_bias", nil, nil),
            ("stages.1.blocks.0.attn.proj.bias", .f32, [64]), ("stem.0.fused.conv.weight", .f32, [8, 3, 3, 3]),
            ("stem.0.fused.bn.weight", .f32, [8]), ("head.weight", .i8, [7, 128]), ("head.weight_scale", .f32, [7]),
        ]
        for (name, type, shape) in expected {
            #expect(int8.info(name)?.elementType == type && int8.info(name)?.shape == shape, "\(name)")
        }
        let types = int8.tensors.filter { $0.shape.count == 4 && $0.shape[1] > 3 }.map(\.elementType)
        #expect(!types.isEmpty && types.allSatisfy { $0 == .bf16 }, "dense convolutions: \(types)")

        let directory = try quantised(tinyConfiguration(), .bfloat16)
        let (bfloat16, original) = (try file(directory, "quantised"), try file(directory, "original"))
        #expect(bfloat16.info("head.weight")?.elementType == .bf16)
        #expect(bfloat16.info("head.weight_scale") == nil)
        // Nothing is folded into it, so that it is only rounded: to nearest, by at most 2^-9 of itself.
        let name = "stages.0.blocks.0.mlp.fc2.weight"
        for (found, exact) in zip(try bfloat16.values(of: name), try original.values(of: name)) {
            #expect(abs(found - exact) <= abs(exact) / 256, "\(found) for \(exact)")
        }
    }

    /// Integers times scales are the weights, to half a step.
    @Test func integersAndScales() throws {
        let directory = try quantised(tinyConfiguration(), .int8)
        let (quantised, original) = (try file(directory, "quantised"), try file(directory, "original"))
        let name = "stages.2.blocks.1.attn.proj.weight"
        let (weights, scales) = (try original.values(of: name), try quantised.values(of: name + "_scale"))
        let depth = weights.count / scales.count
        try quantised.withIntegers(of: name) { integers in
            for (index, integer) in integers.enumerated() {
                let scale = scales[index / depth]
                #expect(abs(Float(integer) * scale - weights[index]) <= 0.5001 * scale, "element \(index)")
            }
            #expect(integers.map { abs(Int($0)) }.max() == 127)
        }
    }

    @Test func anotherPrecisionIsRefused() throws {
        let directory = try quantised(tinyConfiguration(), .int8)
        let path = directory.path("quantised")
        _ = try Model(path: path, options: Model.Options(precision: .int8))
        for precision in [Precision.float32, .bfloat16] {
            let error = ModelError.quantized(path: path + "/model.safetensors", precision: .int8, asked: precision)
            #expect(throws: error) { try Model(path: path, options: Model.Options(precision: precision)) }
            #expect(throws: error) {
                try Model.quantize(
                    contentsOf: URL(fileURLWithPath: path), precision: precision,
                    to: directory.url.appendingPathComponent("again"))
            }
            #expect(!FileManager.default.fileExists(atPath: directory.path("again")))
        }
        #expect(throws: ModelError.fileExists(path: path + "/config.json")) {
            try Model.quantize(
                contentsOf: directory.url.appendingPathComponent("original"), precision: .int8,
                to: URL(fileURLWithPath: path))
        }
    }

    // MARK: Wrong files

    private typealias Tensor = (name: String, shape: [Int], elementType: ElementType, bytes: [UInt8])

    /// The error of loading a quantised model after something is done to its tensors or its configuration.
    private func error(
        precision: String? = "int8", _ change: (inout [Tensor]) throws -> Void
    ) throws -> String {
        let directory = try quantised(tinyConfiguration(), .int8)
        let file = try file(directory, "quantised")
        let all = [UInt8](try Data(contentsOf: file.url))
        var tensors = file.tensors.map { Tensor($0.name, $0.shape, $0.elementType, Array(all[$0.byteRange])) }
        try change(&tensors)
        try SafetensorsWriter.write(
            tensors.map { ($0.name, $0.shape, $0.elementType) }, metadata: [:], to: file.url
        ) { index, body in try tensors[index].bytes.withUnsafeBytes(body) }
        let url = directory.url.appendingPathComponent("quantised/config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        try text.replacing("  \"precision\": \"int8\",\n", with: precision.map { "\"precision\": \"\($0)\"," } ?? "")
            .write(to: url, atomically: true, encoding: .utf8)
        do {
            _ = try Model(path: directory.path("quantised"))
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private static let name = "stages.0.blocks.0.mlp.fc1.weight"

    @Test func wrongFilesAreNamed() throws {
        let scale = Self.name + "_scale"
        func index(_ name: String, _ tensors: [Tensor]) -> Int { tensors.firstIndex { $0.name == name }! }
        func bytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
        #expect(try error { _ in }.hasPrefix("no error"))

        let noScale = try error { $0.remove(at: index(scale, $0)) }
        #expect(noScale.contains("1 missing (\(scale))"), "\(noScale)")
        let short = try error {
            let place = index(scale, $0)
            ($0[place].shape, $0[place].bytes) = ([127], Array($0[place].bytes.dropLast(4)))
        }
        #expect(short.contains("\(scale): expected shape [128], found [127]"), "\(short)")
        for (value, shown) in [(-0.5, "-0.5"), (.nan, "nan"), (.infinity, "inf")] as [(Float, String)] {
            let wrong = try error { $0[index(scale, $0)].bytes.replaceSubrange(8..<12, with: bytes([value])) }
            #expect(
                wrong.contains("\"\(scale)\": expected scales") && wrong.contains("found \(shown) for output 2"),
                "\(wrong)")
        }
        let least = try error { $0[index(Self.name, $0)].bytes[5] = 0x80 }
        #expect(least.contains("\"\(Self.name)\": expected integers of -127 to 127, found -128"), "\(least)")
        let float = try error {
            let place = index(Self.name, $0)
            ($0[place].elementType, $0[place].bytes) = (.f32, [UInt8](repeating: 0, count: 4 * $0[place].bytes.count))
        }
        #expect(float.contains("\"\(Self.name)\": expected elements I8, found F32"), "\(float)")
        let unsaid = try error(precision: nil) { _ in }
        #expect(unsaid.contains("\"precision\": expected \"int8\"") && unsaid.contains("holds integers"), "\(unsaid)")
        let other = try error(precision: "bfloat16") { _ in }
        #expect(other.contains("unexpected") && other.contains("weight_scale"), "\(other)")
        let unknown = try error(precision: "int4") { _ in }
        #expect(unknown.contains("config.json: \"precision\": expected"), "\(unknown)")
    }

    @Test(arguments: [Precision.bfloat16, .int8], [Float.nan, .infinity, 3.4e38])
    func weightsThatAreNotFiniteAreRefused(_ precision: Precision, _ value: Float) throws {
        // 3.4e38 is finite in float32; rounded to bfloat16 it is infinite, in int8 it is a scale like any other.
        let directory = try TemporaryDirectory()
        let (original, output) = (directory.url.appendingPathComponent("o"), directory.url.appendingPathComponent("q"))
        try tinyConfiguration().writeRandomModel(seed: 1, to: original)
        let url = original.appendingPathComponent("model.safetensors")
        let file = try SafetensorsFile(contentsOf: url)
        let name = "stages.3.blocks.0.mlp.fc2.weight"
        let tensors = try file.tensors.map { tensor in
            var values = try file.values(of: tensor.name)
            if tensor.name == name { values[3] = value }
            return (name: tensor.name, shape: tensor.shape, values: values)
        }
        try SafetensorsWriter.write(tensors, to: url)
        guard precision == .bfloat16 || !value.isFinite else {
            try Model.quantize(contentsOf: original, precision: precision, to: output)
            return
        }
        do {
            try Model.quantize(contentsOf: original, precision: precision, to: output)
            Issue.record("\(value) in \(precision) is not finite")
        } catch {
            #expect("\(error)".contains("\"\(name)\": expected finite weights"), "\(error)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: output.path) == [], "half a model is left")
    }
}
