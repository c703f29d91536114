import Foundation
import TestSupport
import Testing

@Suite struct EvaluateTests {
    private static let digits = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("models/digits")

    /// The shipped digits, a folder for each label.
    private func directoryWithDigits() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let images = Self.digits.appendingPathComponent("images")
        for name in try FileManager.default.contentsOfDirectory(atPath: images.path) where name.hasSuffix(".png") {
            let label = name.split(separator: "-")[1]
            try directory.write(
                Array(try Data(contentsOf: images.appendingPathComponent(name))), to: "data/\(label)/\(name)")
        }
        return directory
    }

    @Test func aFolderForEachLabel() throws {
        let directory = try directoryWithDigits()
        let command = try Command(
            "evaluate", "--model", Self.digits.path, directory.path("data"), "--json", directory.path("f.json"),
            "--predictions", directory.path("p.csv"), "--against", Self.digits.path + ":int8")
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("top-1              100.00 %"), "\(command.output)")
        let figures = try json(String(contentsOfFile: directory.path("f.json"), encoding: .utf8))
        let images = try #require(figures["images"] as? Int)
        #expect(images >= 10 && figures["failed"] as? Int == 0)
        #expect(figures["top1"] as? Double == 1 && figures["top5"] as? Double == 1)
        #expect((figures["images_per_second"] as? Double ?? 0) > 0)
        #expect((figures["labels"] as? [Any])?.count == 10)
        let against = try #require(figures["against"] as? [String: Any])
        #expect(against["same_label"] as? Double == 1 && against["mcnemar_p"] as? Double == 1)
        let lines = try String(contentsOfFile: directory.path("p.csv"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count == images + 1 && lines[0] == "path,label,predicted,probability")
        #expect(lines.dropFirst().allSatisfy { $0.split(separator: ",").count == 4 })
    }

    @Test func aTableWithADamagedImage() throws {
        let directory = try directoryWithDigits()
        try directory.write(Array("no picture".utf8), to: "bad.png")
        let good = try FileManager.default.contentsOfDirectory(atPath: directory.path("data/3")).sorted()[0]
        try directory.write(
            Array("path,label\ndata/3/\(good),3\nbad.png,4\ndata/3/\(good),5\n".utf8), to: "table.csv")
        let command = try Command(
            "evaluate", "--model", Self.digits.path, directory.path("table.csv"), "--json", directory.path("f.json"))
        #expect(command.status == 1)
        #expect(command.errors.contains("bad.png: "), "\(command.errors)")
        #expect(command.errors.contains("1 of 3 images could not be classified"), "\(command.errors)")
        let figures = try json(String(contentsOfFile: directory.path("f.json"), encoding: .utf8))
        #expect(figures["images"] as? Int == 2 && figures["failed"] as? Int == 1)
        #expect(figures["top1"] as? Double == 0.5)
    }

    @Test func labelsThatAreNone() throws {
        let directory = try directoryWithTinyModel()
        try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 1), to: "data/threee/a.png")
        try directory.write(Array("a.png,zero,1\n".utf8), to: "wide.csv")
        for (data, message) in [
            ("data", "\"threee\" is no label of the model; did you mean \"three\"?"), ("none", "no such file"),
            ("wide.csv", "row 1: expected path,label, found 3 cells"), ("tiny", "no images"),
        ] {
            let command = try Command("evaluate", "--model", directory.path("tiny"), directory.path(data))
            #expect(command.status == 2 && command.output == "", "\(data): \(command.output)")
            #expect(command.errors.contains(message), "\(data): \(command.errors)")
        }
        let command = try Command(
            "evaluate", "--model", directory.path("tiny"), directory.path("data"), "--against", Self.digits.path)
        #expect(command.status == 2 && command.errors.contains("expected the labels of"), "\(command.errors)")
    }
}
