import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

struct SafetensorsWriterTests {
    private let tensors: [(name: String, shape: [Int], values: [Float])] = [
        ("stem.0.weight", [2, 3], [1, -2, 3.5, .pi, -.infinity, .leastNonzeroMagnitude]),
        ("empty", [0, 7], []),
        ("line\nbreak \"ü\" \u{1}\\", [], [0.1]),
    ]

    @Test func whatIsWrittenIsReadBack() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("model.safetensors")
        let metadata = ["config": "{\"a\": 1}\n", "format": "pt"]
        try SafetensorsWriter.write(tensors, metadata: metadata, to: url)
        let file = try SafetensorsFile(contentsOf: url)
        #expect(file.metadata == metadata)
        #expect(file.tensors.map(\.name) == tensors.map(\.name))
        for tensor in tensors {
            #expect(file.shape(of: tensor.name) == tensor.shape)
            #expect(try file.values(of: tensor.name).map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        #expect(try folder.contents == ["model.safetensors"], "no temporary file is left")
    }

    @Test func bytesAreThoseOfTheFormat() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("model.safetensors")
        try SafetensorsWriter.write([("a", [2], [1, -2])], metadata: ["k": "v", "b": ""], to: url)
        let header =
            "{\"__metadata__\":{\"b\":\"\",\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        let expected =
            [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + padded.utf8 + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
        #expect(try [UInt8](Data(contentsOf: url)) == expected)
    }

    /// Whatever the length of the header, data begins at a multiple of eight and tensors can be lent in place.
    @Test func dataIsAligned() throws {
        let folder = try TemporaryDirectory()
        for length in 1...9 {
            let url = folder.file("\(length)")
            let name = String(repeating: "n", count: length)
            try SafetensorsWriter.write([(name, [1], [1])], to: url)
            let info = try #require(SafetensorsFile(contentsOf: url).info(name))
            #expect(info.byteRange.lowerBound % 8 == 0, "\(length)")
        }
    }

    @Test func copiesTensorsOfASource() throws {
        let folder = try TemporaryDirectory()
        let source = try SafetensorsFile(contentsOf: fixture("mixed.safetensors"))
        let url = folder.file("copy")
        try SafetensorsWriter.write(["half", "float"], of: source, to: url)
        let copy = try SafetensorsFile(contentsOf: url)
        #expect(copy.tensors.map(\.name) == ["half", "float"])
        #expect(copy.info("half")?.elementType == .f32)
        #expect(try copy.values(of: "half") == ramp(15))
        #expect(try copy.values(of: "float") == ramp(24))
        #expect(
            message { try SafetensorsWriter.write(["other"], of: source, to: url) }
                == "mixed.safetensors: tensor \"other\" is missing")
    }

    @Test func tensorsThatCannotBeAreRefused() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("x")
        let cases: [([(name: String, shape: [Int], values: [Float])], String)] = [
            ([("a", [2, 2], [1, 2, 3])], "x: tensor \"a\": expected values for shape [2, 2], found 3 values"),
            ([("a", [-1], [])], "x: tensor \"a\": expected values for shape [-1], found 0 values"),
            ([("a", [1], [1]), ("a", [1], [1])], "x: tensor \"a\": expected a name of its own, found a name in use"),
            (
                [("__metadata__", [1], [1])],
                "x: tensor \"__metadata__\": expected a name of its own, found a name in use"
            ),
        ]
        for (tensors, expected) in cases {
            #expect(message { try SafetensorsWriter.write(tensors, to: url) } == expected)
        }
        #expect(try folder.contents == [])
    }
}

struct AtomicFileTests {
    @Test func writesAndReplaces() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("file")
        try AtomicFile.write(Data([1, 2, 3]), to: url)
        #expect(try [UInt8](Data(contentsOf: url)) == [1, 2, 3])
        try AtomicFile.write(Data([4]), to: url)
        #expect(try [UInt8](Data(contentsOf: url)) == [4])
        #expect(try folder.contents == ["file"])
    }

    @Test func aFailureLeavesTheOldFileAndNothingElse() throws {
        struct Interruption: Error {}
        let folder = try TemporaryDirectory()
        let url = folder.file("file")
        try AtomicFile.write(Data([1, 2, 3]), to: url)
        #expect(throws: Interruption.self) {
            try AtomicFile.write(to: url) { writer in
                try [UInt8(9)].withUnsafeBytes { try writer.write($0) }
                throw Interruption()
            }
        }
        #expect(try [UInt8](Data(contentsOf: url)) == [1, 2, 3])
        #expect(try folder.contents == ["file"])
    }

    @Test func pathsThatCannotBeWrittenAreErrors() throws {
        let folder = try TemporaryDirectory()
        let inNoFolder = folder.file("none").appendingPathComponent("file")
        #expect(throws: CheckpointError.cannotWrite(file: inNoFolder.path, cause: SystemError(code: ENOENT))) {
            try AtomicFile.write(Data(), to: inNoFolder)
        }
        #expect(throws: CheckpointError.notARegularFile(file: folder.url.path)) {
            try AtomicFile.write(Data(), to: folder.url)
        }
        #expect(throws: CheckpointError.notARegularFile(file: "/dev/null")) {
            try AtomicFile.write(Data(), to: URL(fileURLWithPath: "/dev/null"))
        }
        #expect(throws: CheckpointError.self) {
            try AtomicFile.write(Data(), to: URL(string: "https://example.org/x")!)
        }
    }

    @Test func followsASymbolicLink() throws {
        let folder = try TemporaryDirectory()
        let target = try folder.file("target", [1])
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
        try AtomicFile.write(Data([2]), to: link)
        #expect(try [UInt8](Data(contentsOf: target)) == [2])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == target.path)
    }

    #if os(Linux)
        @Test func aFullDiskIsAnError() throws {
            let descriptor = open("/dev/full", O_WRONLY)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            let writer = FileWriter(descriptor: descriptor, path: "full")
            #expect(throws: CheckpointError.cannotWrite(file: "full", cause: SystemError(code: ENOSPC))) {
                try [UInt8](repeating: 0, count: 10).withUnsafeBytes { try writer.write($0) }
            }
            #expect(
                String(describing: CheckpointError.cannotWrite(file: "full", cause: SystemError(code: ENOSPC)))
                    == "full: cannot be written: No space left on device")
        }
    #endif
}
