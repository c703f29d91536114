import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// One damaged file per thing that can be wrong with one, with the message that its reader gets.
struct SafetensorsMalformationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let message: String
        var testDescription: String { name }
    }

    /// A header with one tensor of these properties, over 8 bytes of data.
    private static func tensor(_ properties: String) -> [UInt8] { safetensors("{\"a\":{\(properties)}}", data: 8) }

    private static let types =
        "BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I16, U16, F16, BF16, "
        + "I32, U32, F32, C64, F64, I64, U64"

    static let cases: [Case] = [
        Case(name: "empty file", bytes: [], message: "at byte 0: expected 8 bytes of header length, found 0 bytes"),
        Case(
            name: "shorter than the header length", bytes: [2, 0, 0, 0, 0, 0, 0],
            message: "at byte 0: expected 8 bytes of header length, found 7 bytes"),
        Case(
            name: "header length beyond the file", bytes: safetensors("{}", data: 0, headerLength: 3),
            message: "at byte 0: expected a header within the file's 10 bytes, found a header length of 3"),
        Case(
            name: "header length beyond the limit", bytes: safetensors("{}", data: 0, headerLength: 100_000_001),
            message: "at byte 0: expected a header of at most 100000000 bytes, found a header length of 100000001"),
        Case(
            name: "header length of 2^64 - 1", bytes: safetensors("{}", data: 0, headerLength: .max),
            message:
                "at byte 0: expected a header of at most 100000000 bytes, found a header length of 18446744073709551615"
        ),
        Case(
            name: "empty header", bytes: safetensors("", data: 0),
            message: "at byte 8: expected '{', found an empty header"),
        Case(
            name: "header begins with a space", bytes: safetensors(" {}", data: 0),
            message: "at byte 8: expected '{', found byte 0x20"),
        Case(
            name: "header is an array", bytes: safetensors("[]", data: 0),
            message: "at byte 8: expected '{', found byte 0x5b"),
        Case(
            name: "header cut off", bytes: safetensors("{\"a\":{\"dtype\":\"F32\",\"sha", data: 0),
            message: "at byte 32: expected '\"', found the end of the text"),
        Case(
            name: "text after the header", bytes: safetensors("{} {}", data: 0),
            message: "at byte 11: expected the end of the text, found '{'"),
        Case(
            name: "trailing comma", bytes: safetensors("{\"__metadata__\":{},}", data: 0),
            message: "at byte 27: expected a string, found '}'"),
        Case(
            name: "not UTF-8", bytes: safetensors("{\"", data: 0, headerLength: 5) + [0xFF] + Array("\":".utf8),
            message: "at byte 10: expected valid UTF-8, found \"\u{FFFD}\""),
        Case(
            name: "half of a surrogate pair", bytes: safetensors(#"{"\ud800x":1}"#, data: 0),
            message: "at byte 11: expected a pair of surrogates, found half of one"),
        Case(
            name: "control character in a name", bytes: safetensors("{\"a\u{1}\":1}", data: 0),
            message: "at byte 11: expected no control character in a string, found byte 0x1"),
        Case(
            name: "unknown escape", bytes: safetensors(#"{"\x41":1}"#, data: 0),
            message: #"at byte 11: expected an escape: one of "\/bfnrtu, found 'x'"#),
        Case(
            name: "metadata is not an object", bytes: safetensors("{\"__metadata__\":[]}", data: 0),
            message: "at byte 24: expected '{', found '['"),
        Case(
            name: "metadata is not text", bytes: safetensors("{\"__metadata__\":{\"epoch\":3}}", data: 0),
            message: "at byte 33: expected a string, found '3'"),
        Case(
            name: "metadata key twice", bytes: safetensors("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", data: 0),
            message: "at byte 38: expected metadata key \"k\" once, found '}'"),
        Case(
            name: "metadata twice", bytes: safetensors("{\"__metadata__\":{},\"__metadata__\":{}}", data: 0),
            message: "tensor \"__metadata__\": expected every name once, found a second entry"),
        Case(
            name: "tensor twice",
            bytes: safetensors(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                    + "\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", data: 8),
            message: "tensor \"a\": expected every name once, found a second entry"),
        Case(
            name: "tensor is not an object", bytes: safetensors("{\"a\":null}", data: 0),
            message: "at byte 13: expected '{', found 'n'"),
        Case(
            name: "dtype missing", bytes: tensor("\"shape\":[2],\"data_offsets\":[0,8]"),
            message: "tensor \"a\": expected key dtype, found none"),
        Case(
            name: "shape missing", bytes: tensor("\"dtype\":\"F32\",\"data_offsets\":[0,8]"),
            message: "tensor \"a\": expected key shape, found none"),
        Case(
            name: "offsets missing", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2]"),
            message: "tensor \"a\": expected key data_offsets, found none"),
        Case(
            name: "key twice", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]"),
            message: "tensor \"a\": expected key shape once, found a second one"),
        Case(
            name: "unknown key",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"strides\":[1]"),
            message: "tensor \"a\": expected keys dtype, shape and data_offsets, found key \"strides\""),
        Case(
            name: "unknown dtype", bytes: tensor("\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]"),
            message: "tensor \"a\": expected dtype one of \(types), found \"f32\""),
        Case(
            name: "negative dimension", bytes: tensor("\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]"),
            message: "at byte 37: expected a non-negative integer, found '-'"),
        Case(
            name: "fraction as dimension", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]"),
            message: "at byte 37: expected a non-negative integer below 2^63, found \"2.0\""),
        Case(
            name: "leading zero", bytes: tensor("\"dtype\":\"F32\",\"shape\":[02],\"data_offsets\":[0,8]"),
            message: "at byte 37: expected a non-negative integer below 2^63, found \"02\""),
        Case(
            name: "dimension of 2^63",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]"),
            message: "at byte 37: expected a non-negative integer below 2^63, found \"9223372036854775808\""),
        Case(
            name: "element count overflows",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"),
            message:
                "tensor \"a\": expected a size in whole bytes below 2^63, found F32 of shape [4294967296, 4294967296]"),
        Case(
            name: "element count overflows behind a zero",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[0,4294967296,4294967296],\"data_offsets\":[0,0]"),
            message:
                "tensor \"a\": expected a size in whole bytes below 2^63, "
                + "found F32 of shape [0, 4294967296, 4294967296]"
        ),
        Case(
            name: "byte count overflows",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]"),
            message: "tensor \"a\": expected a size in whole bytes below 2^63, found F32 of shape [2305843009213693952]"
        ),
        Case(
            name: "half a byte", bytes: tensor("\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]"),
            message: "tensor \"a\": expected a size in whole bytes below 2^63, found F4 of shape [3]"),
        Case(
            name: "too many dimensions",
            bytes: tensor(
                "\"dtype\":\"F32\",\"shape\":[" + Array(repeating: "1", count: 65).joined(separator: ",")
                    + "],\"data_offsets\":[0,4]"),
            message: "tensor \"a\": expected at most 64 numbers in shape, found more"),
        Case(
            name: "one offset", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]"),
            message: "tensor \"a\": expected data_offsets [begin, end] with begin <= end <= 8, found data_offsets [8]"),
        Case(
            name: "three offsets", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]"),
            message: "tensor \"a\": expected at most 2 numbers in data_offsets, found more"),
        Case(
            name: "offsets reversed", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]"),
            message:
                "tensor \"a\": expected data_offsets [begin, end] with begin <= end <= 8, found data_offsets [8, 0]"),
        Case(
            name: "data cut off", bytes: tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]").dropLast(),
            message: "cut off: its header calls for 70 bytes, found 69; download or copy it again"),
        Case(
            name: "header cut off by the file's end", bytes: Array(safetensors("{\"a\":{}}", data: 0).dropLast(3)),
            message: "cut off: its header calls for 16 bytes, found 13; download or copy it again"),
        Case(
            name: "Git LFS pointer", bytes: Array("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n".utf8),
            message: "expected a safetensors file, found a Git LFS pointer, which stands for the file; "
                + "run `git lfs pull` in its repository"),
        Case(
            name: "checkpoint of torch.save", bytes: Array("PK\u{3}\u{4}\u{0}\u{0}\u{8}\u{8}\u{0}\u{0}archive".utf8),
            message: "expected a safetensors file, found a checkpoint in PyTorch's own format; "
                + "the script convert.py of this project's repository, folder Tools/python, makes a model of it"),
        Case(
            name: "pickle", bytes: [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20],
            message: "expected a safetensors file, found a checkpoint in PyTorch's own format; "
                + "the script convert.py of this project's repository, folder Tools/python, makes a model of it"),
        Case(
            name: "web page", bytes: Array("\n<!DOCTYPE html>\n<html class=\"\">".utf8),
            message: "expected a safetensors file, found a web page; "
                + "download the file itself (on the hub: \"resolve\" in place of \"blob\" in its address)"),
        Case(
            name: "configuration", bytes: Array("{\"model_type\": \"swin\"}".utf8),
            message: "expected a safetensors file, found a JSON text; "
                + "name the folder that it is in, or the .safetensors file"),
        Case(
            name: "size is not that of the shape",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]"),
            message: "tensor \"a\": expected 12 bytes for F32 of shape [3], found 8 bytes"),
        Case(
            name: "data before the first tensor",
            bytes: tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]"),
            message: "tensor \"a\": expected data that begins at 0, where the tensor before it ends, found a hole: 4"),
        Case(
            name: "data after the last tensor", bytes: tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"),
            message: "at byte 66: expected the end of the file, where the last tensor ends, found 4 more bytes"),
        Case(
            name: "hole between tensors",
            bytes: safetensors(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                    + "\"b\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[3,8]}}", data: 8),
            message: "tensor \"b\": expected data that begins at 2, where the tensor before it ends, found a hole: 3"),
        Case(
            name: "tensors overlap",
            bytes: safetensors(
                "{\"b\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[3,8]},"
                    + "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", data: 8),
            message:
                "tensor \"b\": expected data that begins at 4, where the tensor before it ends, found an overlap: 3"),
        Case(
            name: "deep nesting",
            bytes: safetensors("{\"a\":" + String(repeating: "[", count: 1_000_000), data: 0),
            message: "at byte 13: expected '{', found '['"),
        Case(
            name: "deep nesting in a tensor",
            bytes: safetensors("{\"a\":{\"shape\":" + String(repeating: "[", count: 1_000_000), data: 0),
            message: "at byte 23: expected a non-negative integer, found '['"),
    ]

    @Test(arguments: cases)
    func isRefusedWithItsReason(_ example: Case) throws {
        let folder = try TemporaryDirectory()
        let url = try folder.file("bad.safetensors", example.bytes)
        #expect(message { _ = try SafetensorsFile(contentsOf: url) } == "bad.safetensors: " + example.message)
    }

    @Test func tooManyTensorsAreRefused() throws {
        let folder = try TemporaryDirectory()
        let entries = (0...131_072).map { "\"\($0)\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}" }
        let accepted = try folder.file(
            "accepted", safetensors("{\(entries.dropLast().joined(separator: ","))}", data: 0))
        #expect(try SafetensorsFile(contentsOf: accepted).tensors.count == 131_072)
        let refused = try folder.file("refused", safetensors("{\(entries.joined(separator: ","))}", data: 0))
        let found = message { _ = try SafetensorsFile(contentsOf: refused) }
        #expect(found?.hasSuffix("expected at most 131072 tensors, found more") == true, "\(found ?? "accepted")")
    }

    @Test func tooMuchMetadataIsRefused() throws {
        let folder = try TemporaryDirectory()
        let entries = (0...65_536).map { "\"\($0)\":\"\"" }.joined(separator: ",")
        let url = try folder.file("file", safetensors("{\"__metadata__\":{\(entries)}}", data: 0))
        let found = message { _ = try SafetensorsFile(contentsOf: url) }
        #expect(found?.contains("expected at most 65536 entries of metadata") == true, "\(found ?? "accepted")")
    }

    @Test func everyTruncationOfAValidFileIsRefused() throws {
        let folder = try TemporaryDirectory()
        let whole = try Data(contentsOf: fixture("mixed.safetensors"))
        for count in 0..<whole.count {
            let url = try folder.file("cut.safetensors", whole.prefix(count))
            let found = message { _ = try SafetensorsFile(contentsOf: url) }
            #expect(found?.hasPrefix("cut.safetensors: ") == true, "\(count) bytes: \(found ?? "accepted")")
        }
    }

    /// A mutated file is refused with a typed error, or accepted and then wholly readable.
    @Test(arguments: ["mixed.safetensors", "unaligned.safetensors"])
    func mutationsNeverCrash(_ name: String) throws {
        let folder = try TemporaryDirectory()
        let whole = try [UInt8](Data(contentsOf: fixture(name)))
        let fragments: [[UInt8]] =
            ["\"", "{", "}", "[", "]", ",", ":", "0", "9", "-1", "1e9", "\\u", "\\", "99999999999999999999"]
            .map { Array($0.utf8) } + [[0], [0xFF], [0x80], [0xC3]]
        var accepted = 0
        for seed in 0..<1000 {
            var generator = SeededGenerator(seed: seed)
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                guard !bytes.isEmpty else { break }
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.insert(contentsOf: fragments.randomElement(using: &generator)!, at: place)
                case 3:
                    bytes.removeSubrange(place..<min(place + Int.random(in: 1...20, using: &generator), bytes.count))
                case 4: bytes.removeLast(bytes.count - place)
                default:
                    // Somewhere in the header one digit becomes another: sizes and offsets that nearly fit.
                    let digits = bytes.indices.dropFirst(8).filter { bytes[$0] >= 0x30 && bytes[$0] <= 0x39 }
                    guard let digit = digits.randomElement(using: &generator) else { break }
                    bytes[digit] = UInt8.random(in: 0x30...0x39, using: &generator)
                }
            }
            let url = try folder.file("mutated.safetensors", bytes)
            do {
                let file = try SafetensorsFile(contentsOf: url)
                accepted += 1
                #expect(file.tensors.reduce(0) { $0 + $1.byteRange.count } <= bytes.count, "seed \(seed)")
                for tensor in file.tensors {
                    if tensor.elementType.isReadableAsFloat {
                        #expect(try file.values(of: tensor.name).count == tensor.count, "seed \(seed)")
                    } else {
                        #expect(throws: CheckpointError.self, "seed \(seed)") { try file.values(of: tensor.name) }
                    }
                }
            } catch {
                #expect(error is CheckpointError, "seed \(seed): \(error)")
            }
        }
        // Mutations of the tensors' bytes and of names are still valid files; most others are not.
        #expect((1..<600).contains(accepted), "\(accepted) accepted")
    }
}
