import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

struct SafetensorsFileTests {
    /// Files written by the Python package, one of them with a header length that leaves every tensor unaligned.
    @Test(arguments: ["mixed.safetensors", "unaligned.safetensors"])
    func readsWhatThePythonLibraryWrites(_ name: String) throws {
        let file = try SafetensorsFile(contentsOf: fixture(name))
        #expect(file.metadata == ["format": "pt", "config": "{\"a\": \"ü\\n\"}"])
        #expect(
            file.tensors.map(\.name) == [
                "bn.num_batches_tracked", "empty", "float", "name with \"quotes\" and ümlaut", "scalar", "brain",
                "half",
            ])
        #expect(file.info("float")?.elementType == .f32)
        #expect(file.shape(of: "float") == [2, 3, 4])
        #expect(file.shape(of: "scalar") == [])
        #expect(file.shape(of: "empty") == [0, 3])
        #expect(file.shape(of: "Float") == nil)
        #expect(try file.values(of: "float") == ramp(24))
        #expect(try file.values(of: "half") == ramp(15))
        #expect(try file.values(of: "brain") == ramp(7))
        #expect(try file.values(of: "scalar") == [2.5])
        #expect(try file.values(of: "empty") == [])
        #expect(try file.values(of: "name with \"quotes\" and ümlaut") == ramp(2))
        for tensor in file.tensors where tensor.elementType.isReadableAsFloat {
            let lent = try file.withValues(of: tensor.name) { Array($0) }
            #expect(try lent == file.values(of: tensor.name), "\(tensor.name)")
        }
    }

    @Test func readsFromSeveralThreadsAtOnce() async throws {
        let file = try SafetensorsFile(contentsOf: fixture("mixed.safetensors"))
        let wrong = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).count { _ in (try? file.values(of: "half")) != ramp(15) }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test func otherElementTypesAreListedButNotReadAsFloat() throws {
        let folder = try TemporaryDirectory()
        for type in ElementType.allCases {
            let byteCount = type.bitCount  // of eight elements
            let url = try folder.file(
                type.rawValue,
                safetensors(
                    "{\"t\":{\"dtype\":\"\(type.rawValue)\",\"shape\":[8],\"data_offsets\":[0,\(byteCount)]}}",
                    data: byteCount))
            let file = try SafetensorsFile(contentsOf: url)
            #expect(file.info("t")?.elementType == type)
            let found = message { _ = try file.values(of: "t") }
            if [.f32, .f16, .bf16].contains(type) {
                #expect(found == nil)
            } else {
                #expect(
                    found
                        == "\(type.rawValue): tensor \"t\": expected elements F32, F16 or BF16, found \(type.rawValue)")
                #expect(message { try file.withValues(of: "t") { _ in } } == found)
            }
        }
    }

    @Test func anAbsentTensorIsAnError() throws {
        let file = try SafetensorsFile(contentsOf: fixture("mixed.safetensors"))
        let expected = "mixed.safetensors: tensor \"head.weight\" is missing"
        #expect(message { _ = try file.values(of: "head.weight") } == expected)
        #expect(message { try file.withValues(of: "head.weight") { _ in } } == expected)
    }

    @Test func pathsThatAreNoRegularFilesAreErrors() throws {
        let folder = try TemporaryDirectory()
        #expect(
            message { _ = try SafetensorsFile(contentsOf: folder.file("none")) }
                == "none: cannot be opened: No such file or directory")
        #expect(
            throws: CheckpointError.cannotOpen(file: "https://example.org/model", cause: SystemError(code: EINVAL))
        ) { try SafetensorsFile(contentsOf: URL(string: "https://example.org/model")!) }
        let notRegular = "expected a regular file, found a folder, device or pipe"
        #expect(throws: CheckpointError.notARegularFile(file: folder.url.path)) {
            try SafetensorsFile(contentsOf: folder.url)
        }
        #expect(
            message { _ = try SafetensorsFile(contentsOf: URL(fileURLWithPath: "/dev/zero")) } == "zero: " + notRegular)
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        #expect(message { _ = try SafetensorsFile(contentsOf: pipe) } == "pipe: " + notRegular)
    }

    @Test func aFileThatShrinksIsAnError() throws {
        let folder = try TemporaryDirectory()
        let url = try folder.file("shrinking", Data(contentsOf: fixture("mixed.safetensors")))
        let file = try SafetensorsFile(contentsOf: url)
        #expect(truncate(url.path, 100) == 0)
        let expected = "shrinking: changed while in use: expected 704 bytes, found 100"
        #expect(message { _ = try file.values(of: "float") } == expected)
        #expect(message { try file.withValues(of: "float") { _ in } } == expected)
    }

    @Test func aReplacedFileGoesOnAsItWas() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("model")
        try SafetensorsWriter.write([("a", [3], [1, 2, 3])], to: url)
        let file = try SafetensorsFile(contentsOf: url)
        try SafetensorsWriter.write([("a", [1], [9])], to: url)
        #expect(try file.values(of: "a") == [1, 2, 3])
        #expect(try SafetensorsFile(contentsOf: url).values(of: "a") == [9])
    }

    @Test func namesEveryTensorThatDoesNotFit() throws {
        let file = try SafetensorsFile(contentsOf: fixture("mixed.safetensors"))
        let all: [(name: String, shape: [Int])] = [
            ("empty", [0, 3]), ("float", [2, 3, 4]), ("name with \"quotes\" and ümlaut", [2]), ("scalar", []),
            ("brain", [7]), ("half", [3, 5]),
        ]
        #expect(message { try file.requireExactly(all) } == nil)
        let others = all.dropFirst(2).map { ($0.name == "half" ? ("half", [5, 3]) : $0) } + [("norm.bias", [4])]
        #expect(
            throws: CheckpointError.doesNotFit(
                file: file.sourceName, layout: nil, missing: ["norm.bias"], unexpected: ["empty", "float"],
                misshapen: [ShapeMismatch(tensor: "half", expected: [5, 3], found: [3, 5])])
        ) { try file.requireExactly(others) }
        #expect(
            message { try file.requireExactly(others) }
                == "mixed.safetensors: does not fit the model: 1 missing (norm.bias); 2 unexpected (empty, float); "
                + "1 of another shape (half: expected shape [5, 3], found [3, 5])")
    }

    @Test func aModelsTensorsMustBeReadable() throws {
        let folder = try TemporaryDirectory()
        let url = try folder.file(
            "integers", safetensors("{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}}", data: 8))
        let file = try SafetensorsFile(contentsOf: url)
        #expect(
            message { try file.requireExactly([("a", [2])]) }
                == "integers: tensor \"a\": expected elements F32, F16 or BF16, found I32")
    }

    @Test func contentsThatChangeInPlaceAreAnError() throws {
        let folder = try TemporaryDirectory()
        let header = #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#
        let url = try folder.file("overwritten", safetensors(header, data: 16))
        // Long enough ago that the clock of the file system has moved on.
        #expect(utimes(url.path, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]) == 0)
        let file = try SafetensorsFile(contentsOf: url)
        let values = try file.values(of: "a")
        let descriptor = open(url.path, O_WRONLY)
        defer { close(descriptor) }
        #expect(pwrite(descriptor, [UInt8](repeating: 9, count: 16), 16, off_t(8 + header.utf8.count)) == 16)
        let expected = "overwritten: changed while in use: expected the contents that it was opened with, found others"
        #expect(message { _ = try file.values(of: "a") } == expected)

        let replaced = try folder.file("replaced", safetensors(header, data: 16))
        let old = try SafetensorsFile(contentsOf: replaced)
        #expect(rename(url.path, replaced.path) == 0)
        #expect(try old.values(of: "a") == values, "a file that is replaced goes on as it was")
    }

    @Test func longAndHostileNamesAreCutAndEscaped() throws {
        let folder = try TemporaryDirectory()
        let name = "\\u001b[2J" + String(repeating: "x", count: 1_000_000)
        let header = #"{"\#(name)":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#
        let file = try SafetensorsFile(contentsOf: folder.file("names", safetensors(header, data: 4)))
        let text = try #require(message { try file.requireExactly([]) })
        #expect(text.hasPrefix(#"names: does not fit the model: 1 unexpected (\u{1B}[2Jxxx"#), "\(text.prefix(300))")
        #expect(text.count < 400 && text.hasSuffix("x…)"), "\(text.count) characters")
    }
}
