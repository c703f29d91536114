import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

struct NumPyArrayTests {
    @Test(arguments: [
        ("c-order.npy", [2, 3, 4], ramp(24)), ("fortran-order.npy", [2, 3, 4], ramp(24)),
        ("version-2.npy", [2, 3, 4], ramp(24)), ("version-3.npy", [2, 3, 4], ramp(24)),
        ("half.npy", [3, 5], ramp(15)), ("double.npy", [3, 5], ramp(15)), ("vector.npy", [7], ramp(7)),
        ("scalar.npy", [], [2.5]), ("empty.npy", [0, 3], []),
        ("full-head.npy", [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 10, 10], ramp(100)),
    ])
    func readsWhatNumPyWrites(_ name: String, _ shape: [Int], _ values: [Float]) throws {
        let array = try NumPyArray(contentsOf: fixture(name))
        #expect(array.shape == shape)
        #expect(array.values == values)
    }

    @Test(arguments: ["c-order.npy", "vector.npy", "scalar.npy", "empty.npy", "full-head.npy"])
    func writesTheBytesThatNumPyWrites(_ name: String) throws {
        let folder = try TemporaryDirectory()
        let original = try fixture(name)
        let copy = folder.file(name)
        try NumPyArray(contentsOf: original).write(to: copy)
        #expect(try Data(contentsOf: copy) == Data(contentsOf: original))
        #expect(try folder.contents == [name])
    }

    @Test func everyBitIsKept() throws {
        let folder = try TemporaryDirectory()
        let values: [Float] = [.nan, -.infinity, .leastNonzeroMagnitude, -0.0, .greatestFiniteMagnitude, 0.1]
        let url = folder.file("x.npy")
        try NumPyArray(shape: [1, 6], values: values).write(to: url)
        let read = try NumPyArray(contentsOf: url)
        #expect(read.shape == [1, 6])
        #expect(read.values.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func aFolderThatIsMissingIsAnError() throws {
        let folder = try TemporaryDirectory()
        let url = folder.file("none").appendingPathComponent("x.npy")
        #expect(
            message { try NumPyArray(shape: [], values: [1]).write(to: url) }
                == "x.npy: cannot be written: No such file or directory")
    }

    /// A version 1.0 file.
    private static func npy(_ header: String, data count: Int, version: [UInt8] = [1, 0]) -> [UInt8] {
        [0x93] + "NUMPY".utf8 + version + [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + header.utf8
            + [UInt8](repeating: 0, count: count)
    }

    static let malformed: [(bytes: [UInt8], message: String)] = [
        ([], "at byte 0: expected a NumPy array (.npy), found 0 bytes"),
        (Array("PK\u{3}\u{4}0123456789".utf8), "at byte 0: expected a NumPy array (.npy), found something else"),
        (npy("{}", data: 0, version: [4, 0]), "at byte 6: expected format version 1.0, 2.0 or 3.0, found 4.0"),
        (
            npy("{}", data: 0, version: [2, 0]).dropLast(1),
            "at byte 8: expected a header length, found the end of the file"
        ),
        (npy("{}", data: 0).dropLast(), "at byte 8: expected a header of at most 1 bytes, found 2 bytes"),
        (
            npy("{}" + String(repeating: " ", count: 9_999), data: 0),
            "at byte 8: expected a header of at most 10000 bytes, found 10001 bytes"
        ),
        (npy("{}", data: 0), "at byte 10: expected keys 'descr', 'fortran_order' and 'shape', found fewer"),
        (npy("{'descr': '<f4'", data: 0), "at byte 25: expected '}', found the end of the header"),
        (npy("{'descr': '<f4", data: 0), "at byte 24: expected ', found the end of the header"),
        (
            npy("{'descr': '<f4', 'descr': '<f4'}", data: 0),
            "at byte 27: expected keys 'descr', 'fortran_order' and 'shape', each once, found \"descr\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}", data: 4),
            "at byte 64: expected keys 'descr', 'fortran_order' and 'shape', each once, found \"more\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", data: 4),
            "at byte 44: expected True or False, found \"0\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", data: 8),
            "at byte 62: expected ',', found \")\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", data: 8),
            "at byte 61: expected a non-negative integer below 2^63, found \"-\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", data: 8),
            "at byte 61: expected a non-negative integer below 2^63, found \"9\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", data: 8),
            "at byte 10: expected a size below 2^63 bytes, found shape [4294967296, 4294967296]"
        ),
        (
            npy("{'descr': '>f4', 'fortran_order': False, 'shape': ()}", data: 4),
            "at byte 10: expected elements '<f4', '<f2' or '<f8', found \">f4\""
        ),
        (
            npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", data: 4),
            "at byte 20: expected '\"', found \"[\""
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", data: 11),
            "at byte 65: expected 12 bytes for '<f4' of shape [3], found 11 bytes"
        ),
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", data: 25),
            "at byte 65: expected 24 bytes for '<f8' of shape [3], found 25 bytes"
        ),
        (npy("{'descr': '<f4'} x", data: 0), "at byte 27: expected the end of the header, found \"x\""),
    ]

    @Test(arguments: malformed.indices)
    func malformedFilesAreRefusedWithTheirReason(_ index: Int) throws {
        let folder = try TemporaryDirectory()
        let url = try folder.file("bad.npy", Self.malformed[index].bytes)
        #expect(message { _ = try NumPyArray(contentsOf: url) } == "bad.npy: " + Self.malformed[index].message)
    }

    @Test func otherElementTypesAreRefused() throws {
        let url = try fixture("integers.npy")
        #expect(
            message { _ = try NumPyArray(contentsOf: url) }
                == "integers.npy: at byte 10: expected elements '<f4', '<f2' or '<f8', found \"<i4\"")
    }

    @Test(arguments: ["c-order.npy", "fortran-order.npy"])
    func mutationsNeverCrash(_ name: String) throws {
        let folder = try TemporaryDirectory()
        let whole = try [UInt8](Data(contentsOf: fixture(name)))
        var accepted = 0
        for seed in 0..<1000 {
            var generator = SeededGenerator(seed: seed)
            var bytes = whole
            // Mostly in the head, which is 128 bytes.
            let place = Int.random(in: 0..<(seed % 4 == 0 ? bytes.count : 128), using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &generator), at: place)
            default: bytes.removeSubrange(place..<min(place + Int.random(in: 1...9, using: &generator), bytes.count))
            }
            let url = try folder.file("mutated.npy", bytes)
            do {
                let array = try NumPyArray(contentsOf: url)
                accepted += 1
                #expect(array.shape.reduce(1, *) == array.values.count, "seed \(seed)")
            } catch {
                #expect(error is CheckpointError, "seed \(seed): \(error)")
            }
        }
        #expect((1..<600).contains(accepted), "\(accepted) accepted")
    }
}
