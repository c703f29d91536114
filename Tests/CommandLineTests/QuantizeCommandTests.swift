import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct QuantizeCommandTests {
    @Test func aQuantisedModelRunsAsItsOriginalDoes() throws {
        let directory = try directoryWithTinyModel()
        try NumPyArray(shape: [1, 3, 64, 48], values: TinyModel.pixels(3 * 64 * 48, seed: 5))
            .write(to: directory.url.appendingPathComponent("x.npy"))
        func logits(_ model: String, _ options: String...) throws -> [Float] {
            let command = try Command(
                ["run", "--model", directory.path(model), "--input", directory.path("x.npy")] + options
                    + ["--output", directory.path("y.npy")])
            #expect(command.status == 0, "\(command.errors)")
            return try NumPyArray(contentsOf: directory.url.appendingPathComponent("y.npy")).values
        }
        for precision in ["bfloat16", "int8"] {
            let output = directory.path(precision)
            let arguments = [
                "quantize", "--model", directory.path("tiny"), "--precision", precision, "--output", output,
            ]
            let written = try Command(arguments)
            #expect(written.status == 0 && written.output == output + "\n", "\(written.errors)")
            #expect(try logits(precision) == logits("tiny", "--precision", precision))
            let shown = try Command("inspect", output)
            #expect(
                shown.status == 0
                    && shown.output.contains("weights: rounded for \(precision)\nproducts: \(precision) by"),
                "\(shown.output)")
            #expect(try json(Command("inspect", output, "--json").output)["precision"] as? String == precision)

            let again = try Command(arguments)
            #expect(
                again.status == 2 && again.errors.contains("exists already; --force replaces it"), "\(again.errors)")
            #expect(try Command(arguments + ["--force"]).status == 0)
            let float32 = try Command("classify", "--model", output, "--precision", "float32", "a.png")
            #expect(float32.status == 2 && float32.errors.contains("quantised for \(precision)"), "\(float32.errors)")
        }
        let onto = try Command(
            "quantize", "--model", directory.path("tiny"), "--precision", "int8", "--output",
            directory.path("tiny/../tiny"), "--force")
        #expect(onto.status == 2 && onto.errors.contains("is the model itself"), "\(onto.errors)")
        let variant = try Command(
            "quantize", "--model", "cetnet-t", "--precision", "int8", "--output", directory.path("none"))
        #expect(variant.status == 2 && variant.errors.contains("has no weights"), "\(variant.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("none")))
    }
}
