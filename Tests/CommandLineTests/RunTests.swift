import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct RunTests {
    @Test func runWritesLogitsAndFeatures() throws {
        let directory = try directoryWithTinyModel()
        let (batch, height, width) = (2, 40, 72)
        let tensor = try Tensor(
            shape: [batch, 3, height, width], values: TinyModel.pixels(batch * 3 * height * width, seed: 4))
        try NumPyArray(shape: tensor.shape, values: tensor.values)
            .write(to: directory.url.appendingPathComponent("x.npy"))
        let command = try Command(
            "run", "--model", directory.path("tiny"), "--input", directory.path("x.npy"), "--output",
            directory.path("y.npy"), "--features", directory.path("maps/of/x"), "--threads", "2")
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output == "")

        let expected = try Model(path: directory.path("tiny")).logitsAndFeatures(tensor)
        let logits = try NumPyArray(contentsOf: directory.url.appendingPathComponent("y.npy"))
        #expect(logits.shape == [batch, TinyModel.labelCount])
        #expect(logits.values == expected.logits.values)
        for stage in 0..<4 {
            let map = try NumPyArray(
                contentsOf: directory.url.appendingPathComponent("maps/of/x/stage\(stage + 1).npy"))
            #expect(map.shape == expected.features[stage].shape)
            #expect(map.values == expected.features[stage].values, "stage \(stage + 1)")
        }
    }

    /// The option reaches the engine, and changes what is computed.
    @Test func precisions() throws {
        let directory = try directoryWithTinyModel()
        let tensor = try Tensor(shape: [1, 3, 64, 48], values: TinyModel.pixels(3 * 64 * 48, seed: 5))
        try NumPyArray(shape: tensor.shape, values: tensor.values)
            .write(to: directory.url.appendingPathComponent("x.npy"))
        var found: [[Float]] = []
        for precision in Precision.allCases {
            let command = try Command(
                "run", "--model", directory.path("tiny"), "--input", directory.path("x.npy"), "--output",
                directory.path("y.npy"), "--precision", precision.rawValue)
            #expect(command.status == 0, "\(command.errors)")
            let logits = try NumPyArray(contentsOf: directory.url.appendingPathComponent("y.npy")).values
            let options = Model.Options(precision: precision)
            let model = try Model(path: directory.path("tiny"), options: options)
            #expect(model.precision == precision)
            #expect(try model.logits(tensor).values == logits, "\(precision)")
            found.append(logits)
        }
        #expect(Set(found).count == 3, "\(found)")
        let refused = try Command(
            "run", "--model", directory.path("tiny"), "--input", directory.path("x.npy"), "--output",
            directory.path("y.npy"), "--precision", "int4")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("int4") && refused.errors.contains("bfloat16"), "\(refused.errors)")
    }

    @Test func inputsThatCannotBeRun() throws {
        let directory = try directoryWithTinyModel()
        func run(_ input: String) throws -> Command {
            try Command(
                "run", "--model", directory.path("tiny"), "--input", directory.path(input), "--output",
                directory.path("y.npy"))
        }
        for (name, shape) in [
            ("rank.npy", [3, 64, 64]), ("small.npy", [1, 3, 31, 64]), ("none.npy", [0, 3, 64, 64]),
        ] {
            try NumPyArray(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
                .write(to: directory.url.appendingPathComponent(name))
        }
        try directory.write(Array("no array".utf8), to: "text.npy")
        for name in ["rank.npy", "small.npy", "none.npy", "text.npy", "missing.npy"] {
            let command = try run(name)
            #expect(command.status == 1, "\(name)")
            #expect(command.errors.hasPrefix("Error: ") && command.errors.contains(name), "\(command.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory.path("y.npy")), "\(name)")
        }
    }

    @Test func preprocessWritesWhatTheModelSees() throws {
        let directory = try directoryWithTinyModel()
        let image = try directory.write(PNGImage.pattern(width: 90, height: 71, seed: 2), to: "a.png")
        let model = directory.path("tiny")
        let command = try Command("preprocess", "--model", model, image, "--output", directory.path("x.npy"))
        #expect(command.status == 0, "\(command.errors)")
        let array = try NumPyArray(contentsOf: directory.url.appendingPathComponent("x.npy"))
        #expect(array.shape == [1, 3, TinyModel.imageSize, TinyModel.imageSize])

        // Run on it, classification finds the same labels.
        let run = try Command(
            "run", "--model", model, "--input", directory.path("x.npy"), "--output", directory.path("y.npy"))
        #expect(run.status == 0, "\(run.errors)")
        let logits = try NumPyArray(contentsOf: directory.url.appendingPathComponent("y.npy")).values
        let best = logits.indices.max { logits[$0] < logits[$1] }
        let classified = try json(Command("classify", "--model", model, "--top", "1", "--json", image).output)
        let predictions = try #require(classified["predictions"] as? [[String: Any]])
        #expect(predictions.map { $0["index"] as? Int } == [best])
    }

    @Test func aDamagedImageIsNotPreprocessed() throws {
        let directory = try directoryWithTinyModel()
        let bytes = PNGImage.pattern(width: 90, height: 71, seed: 2)
        let image = try directory.write(Array(bytes.prefix(bytes.count / 2)), to: "half.png")
        let command = try Command(
            "preprocess", "--model", directory.path("tiny"), image, "--output", directory.path("x.npy"))
        #expect(command.status == 1)
        #expect(command.errors.contains("half.png"), "\(command.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("x.npy")))
    }

    @Test func anOutputInAFolderThatIsNotThere() throws {
        let directory = try directoryWithTinyModel()
        let image = try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 2), to: "a.png")
        let command = try Command(
            "preprocess", "--model", directory.path("tiny"), image, "--output", directory.path("none/x.npy"))
        #expect(command.status == 2)
        #expect(command.errors.contains("none/x.npy"), "\(command.errors)")
    }
}
