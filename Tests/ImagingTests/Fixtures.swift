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
