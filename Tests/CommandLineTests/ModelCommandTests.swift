import CETNet
import CETNetCheckpoint
import CETNetPublicCheckpoints
import Foundation
import TestSupport
import Testing

@Suite struct ModelCommandTests {
    @Test func variantsShowTheirCounts() throws {
        let table = try Command("variants")
        #expect(table.status == 0)
        #expect(table.errors == "")
        for (name, figures) in [
            ("cetnet-t", ["23.442 M", "4.246 G", "82.7"]), ("cetnet-s", ["33.767 M", "6.820 G", "83.4"]),
            ("cetnet-b", ["75.343 M", "15.135 G", "83.8"]),
        ] {
            let line = try #require(table.lines.first { $0.hasPrefix(name + " ") })
            for figure in figures { #expect(line.contains(figure), "\(figure) in \(line)") }
        }

        let lines = try Command("variants", "--json").lines
        #expect(lines.count == table.lines.count - 1)
        for line in lines {
            #expect(keys(line) == ["variant", "parameters", "multiply_adds", "published_top1"])
            #expect(try json(line)["parameters"] is Int)
        }
    }

    @Test func inspectShowsAVariant() throws {
        let table = try Command("inspect", "cetnet-t", "--image-size", "384")
        #expect(table.status == 0)
        #expect(table.output.contains("23.442 M parameters"), "\(table.lines.last ?? "")")
        let qkv = try #require(table.lines.first { $0.hasPrefix("stages.3.blocks.1.attn.qkv ") })
        // 512·1536 weights and 1536 biases; 12·12 tokens.
        #expect(qkv.contains("12x12x1536") && qkv.contains("787,968") && qkv.contains("113,246,208"), "\(qkv)")

        let oblong = try Command("inspect", "cetnet-t", "--image-size", "256x320", "--json")
        #expect(oblong.lines.count == 1)
        let object = try json(oblong.output)
        let layers = try #require(object["layers"] as? [[String: Any]])
        #expect(object["variant"] as? String == "cetnet-t")
        #expect(layers.reduce(0) { $0 + ($1["parameters"] as? Int ?? -1) } == object["parameters"] as? Int)
        #expect(layers.reduce(0) { $0 + ($1["multiply_adds"] as? Int ?? -1) } == object["multiply_adds"] as? Int)
        let layer = try #require(layers.first { $0["name"] as? String == "stages.0.embed.proj" })
        #expect(layer["operator"] as? String == "convolution")
        #expect(layer["output_shape"] as? [Int] == [64, 80, 64])
        #expect(
            Array(keys(oblong.output).prefix(10)) == [
                "variant", "layout", "parameters", "multiply_adds", "layers", "name", "operator", "output_shape",
                "parameters",
                "multiply_adds",
            ])
    }

    @Test func inspectShowsAModelOnDisk() throws {
        let directory = try directoryWithTinyModel()
        let command = try Command("inspect", directory.path("tiny"), "--json")
        #expect(command.status == 0, "\(command.errors)")
        let layers = try #require(try json(command.output)["layers"] as? [[String: Any]])
        #expect(layers.last?["output_shape"] as? [Int] == [1, 1, TinyModel.labelCount])
        #expect(layers.last?["parameters"] as? Int == 128 * TinyModel.labelCount + TinyModel.labelCount)
        #expect(try json(command.output)["layout"] is NSNull)
    }

    /// The tiny Swin in torchvision's names.
    @Test func inspectSaysWhoseNamesAModelHas() throws {
        let directory = try TemporaryDirectory()
        let layout = try #require(Layout.all.first { $0.name == "torchvision's Swin Transformer" })
        var configuration = ModelConfiguration(
            dims: [8, 16, 32, 64], depths: [1, 1, 1, 1], numHeads: [1, 1, 1, 1], block: .swin,
            embeddings: [.patch, .merge, .merge, .merge])
        configuration.setLabelCount(2)
        try configuration.writeRandomModel(seed: 1, to: directory.url)
        let weights = directory.url.appendingPathComponent("model.safetensors")
        let file = try SafetensorsFile(contentsOf: weights)
        let tensors = try file.tensors.map { tensor in
            (
                name: layout.theirNames(of: tensor.name, depths: configuration.depths)[0], shape: tensor.shape,
                values: try file.values(of: tensor.name)
            )
        }
        try SafetensorsWriter.write(tensors, to: weights)
        let table = try Command("inspect", directory.url.path)
        #expect(table.output.contains("names of the tensors: torchvision's Swin Transformer"), "\(table.output)")
        let object = try json(Command("inspect", directory.url.path, "--json").output)
        #expect(object["layout"] as? String == "torchvision's Swin Transformer")

        try SafetensorsWriter.write(tensors.dropLast(), to: weights)
        let failure = try Command("classify", "--model", directory.url.path, "image.png")
        #expect(failure.status == 2)
        #expect(failure.errors.contains("recognised as torchvision's Swin"), "\(failure.errors)")
        #expect(failure.errors.contains("1 missing (\(tensors.last!.name))"), "\(failure.errors)")
    }

    @Test(arguments: [
        ["inspect", "cetnet-tt"], ["init", "CETNet_T", "--output", "unused"], ["bench", "cetnet-tt"],
        ["compare", "cetnet-t", "cetnet-tt"], ["classify", "--model", "cetnet-tt", "a.png"],
        ["preprocess", "--model", "cetnet-tt", "a.png", "--output", "unused"],
        ["run", "--model", "cetnet-tt", "--input", "x.npy", "--output", "unused"],
    ])
    func aSlipOfTheKeyboardIsGuessed(arguments: [String]) throws {
        let command = try Command(arguments)
        #expect(command.status == 2)
        #expect(command.errors.contains("did you mean 'cetnet-t'?"), "\(command.errors)")
    }

    /// What has no weights is no model to classify with, but shows its layers.
    @Test func variantsAndConfigurationsHaveNoWeights() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array(TinyModel.configurationJSON.utf8), to: "small.json")
        for model in ["cetnet-t", path] {
            let command = try Command("classify", "--model", model, "a.png")
            #expect(command.status == 2)
            #expect(command.errors.hasPrefix("Error: \(model): this has no weights"), "\(command.errors)")
        }
        let layers = try #require(try json(Command("inspect", path, "--json").output)["layers"] as? [[String: Any]])
        #expect(layers.last?["output_shape"] as? [Int] == [1, 1, TinyModel.labelCount])
        // A folder with a variant's name is a model like any other.
        _ = try Command("init", "cetnet-t-ce1", "--output", directory.path("cetnet-s"))
        let folder = try Command(
            "classify", "--model", "cetnet-s", "none.png", directory: directory.url)
        #expect(folder.status == 1, "\(folder.errors)")
    }

    @Test func namesFarFromAllAreNotGuessed() throws {
        let command = try Command("inspect", "mobilenet")
        #expect(command.status == 2)
        #expect(!command.errors.contains("did you mean"), "\(command.errors)")
        #expect(command.errors.contains("cetnet variants"), "\(command.errors)")
    }

    @Test func initMakesTheSameModelAgain() throws {
        let directory = try TemporaryDirectory()
        func make(_ name: String, seed: Int, _ more: String...) throws -> Command {
            let output = directory.path(name)
            return try Command(
                ["init", "cetnet-t", "--seed", "\(seed)", "--num-labels", "10", "--output", output] + more)
        }
        func bytes(_ name: String) throws -> Data {
            try Data(contentsOf: directory.url.appendingPathComponent("\(name)/model.safetensors"))
        }
        for (name, seed) in [("a", 5), ("b", 5), ("c", 6)] {
            let command = try make(name, seed: seed)
            #expect(command.status == 0, "\(command.errors)")
            #expect(command.output == directory.path(name) + "\n")
        }
        #expect(try bytes("a") == bytes("b"))
        #expect(try bytes("a") != bytes("c"))
        let configuration = try ModelConfiguration(
            json: Data(contentsOf: directory.url.appendingPathComponent("a/config.json")), source: "a")
        #expect(configuration.numLabels == 10)
        #expect(configuration.labels == (0..<10).map(String.init))

        let refused = try make("a", seed: 6)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("--force"), "\(refused.errors)")
        #expect(try bytes("a") == bytes("b"))
        #expect(try make("a", seed: 6, "--force").status == 0)
        #expect(try bytes("a") == bytes("c"))

        try directory.write([], to: "file")
        let inTheWay = try make("file", seed: 1)
        #expect(inTheWay.status == 2)
        #expect(inTheWay.errors == "Error: \(directory.path("file")): cannot be written: File exists\n")
        #expect(try make("deep/er", seed: 1).status == 0)
        #expect(try bytes("deep/er").count == bytes("b").count)
    }
}
