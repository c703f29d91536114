import Foundation
import TestSupport
import Testing

@Suite struct ClassifyTests {
    /// Images a, b and c in a folder with some company, and one that is damaged.
    private func directoryWithImages() throws -> TemporaryDirectory {
        let directory = try directoryWithTinyModel()
        for (name, seed) in [
            ("b.png", 2), ("a.PNG", 1), ("inner/deep/c.png", 3), (".hidden.png", 4), (".git/d.png", 5),
        ] {
            try directory.write(PNGImage.pattern(width: 60 + 10 * seed, height: 80, seed: seed), to: "images/" + name)
        }
        try directory.write(Array("notes".utf8), to: "images/notes.txt")
        try FileManager.default.createSymbolicLink(
            at: directory.url.appendingPathComponent("images/loop.png"),
            withDestinationURL: directory.url.appendingPathComponent("images"))
        try directory.write(Array("not a picture".utf8), to: "bad.png")
        return directory
    }

    @Test func aTableForPeople() throws {
        let directory = try directoryWithImages()
        let path = directory.path("images/b.png")
        let command = try Command("classify", "--model", directory.path("tiny"), "--top", "2", path)
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.errors == "")
        #expect(command.lines.count == 3)
        #expect(command.lines.first == path)
        for line in command.lines.dropFirst() {
            #expect(line.contains(/^ +\d+\.\d\d %  \w/), "\(line)")
        }
    }

    @Test func oneJSONObjectForEachImage() throws {
        let directory = try directoryWithImages()
        let path = directory.path("images/b.png")
        let command = try Command("classify", "--model", directory.path("tiny"), "--json", path)
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.lines.count == 1)
        #expect(
            Array(keys(command.output).prefix(5)) == ["path", "predictions", "index", "label", "probability"],
            "\(command.output)")
        let object = try json(command.output)
        #expect(object["path"] as? String == path)
        let predictions = try #require(object["predictions"] as? [[String: Any]])
        #expect(predictions.count == 5)
        #expect(predictions.allSatisfy { $0["label"] is String && $0["index"] is Int }, "\(predictions)")
        let probabilities = predictions.compactMap { $0["probability"] as? Double }
        #expect(probabilities.count == 5 && probabilities == probabilities.sorted(by: >), "\(probabilities)")

        // All labels: their probabilities add up, and the one with quotes in it is whole.
        let all = try json(Command("classify", "--model", directory.path("tiny"), "--json", "--top", "99", path).output)
        let everything = try #require(all["predictions"] as? [[String: Any]])
        #expect(everything.count == TinyModel.labelCount)
        let sum = everything.compactMap { $0["probability"] as? Double }.reduce(0, +)
        #expect(!(abs(sum - 1) > 1e-6), "\(sum)")
        #expect(everything.contains { $0["label"] as? String == "six, \"or\" 6" }, "\(everything)")
    }

    @Test(arguments: [1, 2, 8], [1, 3])
    func oneBadImageDoesNotStopTheOthers(batch: Int, threads: Int) throws {
        let directory = try directoryWithImages()
        let (a, b, bad) = (directory.path("images/a.PNG"), directory.path("images/b.png"), directory.path("bad.png"))
        let (missing, empty) = (directory.path("missing.jpg"), directory.path("tiny"))
        let paths = [empty, a, bad, b, missing, a]
        let arguments = [
            "classify", "--model", directory.path("tiny"), "--batch", "\(batch)", "--threads", "\(threads)",
        ]
        let command = try Command(arguments + ["--json"] + paths)
        #expect(command.status == 1)
        let objects = try command.lines.map(json)
        #expect(objects.map { $0["path"] as? String } == paths)
        #expect(objects.map { $0["error"] is String } == [true, false, true, false, true, false])
        #expect(objects.map { $0["predictions"] is [Any] } == [false, true, false, true, false, true])
        #expect(keys(command.lines[0]) == ["path", "error"])
        #expect(command.lines[1] == command.lines[5])
        #expect(command.errors.contains("3 of 6"), "\(command.errors)")

        // The same for people: results on standard output, errors on standard error.
        let table = try Command(arguments + ["--top", "1"] + paths)
        #expect(table.status == 1)
        #expect(table.lines.filter { !$0.hasPrefix(" ") } == [a, b, a])
        for path in [empty, bad, missing] { #expect(table.errors.contains(path), "\(table.errors)") }
    }

    @Test func aFolderIsWalkedInOrder() throws {
        let directory = try directoryWithImages()
        let folder = directory.path("images")
        let expected = ["a.PNG", "b.png", "inner/deep/c.png"].map { "\(folder)/\($0)" }
        for argument in [folder, folder + "/"] {
            let command = try Command("classify", "--model", directory.path("tiny"), "--json", argument)
            #expect(command.status == 0, "\(command.errors)")
            #expect(try command.lines.map { try json($0)["path"] as? String } == expected)
        }
        let relative = try Command(
            "classify", "--model", "tiny", "--json", "images/inner", directory: directory.url)
        #expect(try relative.lines.map { try json($0)["path"] as? String } == ["images/inner/deep/c.png"])
    }

    @Test func thereIsNoProgressBarOffATerminal() throws {
        let directory = try directoryWithImages()
        let path = directory.path("images/a.PNG")
        let command = try Command(
            ["classify", "--model", directory.path("tiny"), "--json"] + [String](repeating: path, count: 40))
        #expect(command.status == 0)
        #expect(command.errors == "")
        #expect(command.lines.count == 40)
    }
}
