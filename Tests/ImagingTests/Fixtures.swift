import Foundation
import Testing

/// What Tools/python/make_image_fixtures.py wrote.
enum Fixtures {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var width: Int
        var height: Int

        var testDescription: String { file }

        /// The pixels that Pillow decodes, `rgb8`.
        func expected() throws -> [UInt8] { try bytes(file + ".raw") }
    }

    static let cases: [Case] = {
        do {
            return try JSONDecoder().decode([Case].self, from: Data(contentsOf: url("cases.json")))
        } catch {
            fatalError("cases.json: \(error)")
        }
    }()

    static func url(_ name: String) -> URL {
        Bundle.module.resourceURL!.appendingPathComponent("Fixtures").appendingPathComponent(name)
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url(name)))
    }

    /// Where the marker segment with this code begins, at its 0xFF.
    static func segment(_ code: UInt8, of jpeg: [UInt8]) throws -> Int {
        var position = 2
        while position + 3 < jpeg.count, jpeg[position] == 0xFF {
            if jpeg[position + 1] == code { return position }
            position += 2 + Int(jpeg[position + 2]) << 8 + Int(jpeg[position + 3])
        }
        throw MissingSegment(code: code)
    }

    struct MissingSegment: Error { var code: UInt8 }
}

/// Deterministic random numbers: SplitMix64.
struct Random: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
