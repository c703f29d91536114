import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// Checkpoints cut into several files.
struct ShardedSafetensorsTests {
    /// Two files, one tensor each, and an index with this map.
    private func shards(_ map: String, in folder: TemporaryDirectory) throws -> ShardedSafetensors {
        try SafetensorsWriter.write([(name: "a", shape: [2], values: [1, 2])], metadata: [:], to: folder.file("1.st"))
        try SafetensorsWriter.write([(name: "b", shape: [1], values: [3])], metadata: [:], to: folder.file("2.st"))
        return try ShardedSafetensors(
            index: folder.file("index.json", "{\"metadata\": {}, \"weight_map\": \(map)}".utf8))
    }

    @Test func tensorsComeFromTheirFiles() throws {
        let folder = try TemporaryDirectory()
        let tensors = try shards(#"{"b": "2.st", "a": "1.st"}"#, in: folder)
        #expect(tensors.tensors.map(\.name) == ["a", "b"])
        #expect(try tensors.values(of: "a") == [1, 2])
        #expect(try tensors.withValues(of: "b") { Array($0) } == [3])
        #expect(message { _ = try tensors.values(of: "c") } == "index.json: tensor \"c\" is missing")
        #expect(throws: Never.self) { try tensors.requireExactly([("b", [1]), ("a", [2])]) }
    }

    @Test(arguments: [
        (#"{"a": "1.st", "b": "3.st"}"#, "3.st: cannot be opened: No such file or directory"),
        (#"{"a": "1.st"}"#, nil),
        (#"{"a": "2.st", "b": "2.st"}"#, "2.st: tensor \"a\" is missing"),
        (#"{"a": "1.st", "c": "2.st"}"#, "index.json: tensor \"b\": expected 2.st, which holds it, found no entry"),
        (
            #"{"a": "1.st", "b": "../2.st"}"#,
            "index.json: tensor \"b\": expected the name of a file in the same folder, found \"../2.st\""
        ),
        (#"{"a": 1}"#, "index.json: tensor \"a\": expected the name of a file in the same folder, found 1"),
        (
            "{}",
            "index.json: at byte 0: expected an object with \"weight_map\", which maps tensors to files, found none"
        ),
        ("[", "index.json: at byte 32: expected a value, found '}'"),
    ])
    func whatIsWrongWithAnIndexIsNamed(map: String, expected: String?) throws {
        let folder = try TemporaryDirectory()
        #expect(message { _ = try shards(map, in: folder) } == expected, "\(map)")
    }
}
