import CETNetPreprocessing
import Foundation
import Testing

/// What Tools/python/make_image_fixtures.py wrote.
enum Fixtures {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var input: String
        var width: Int
        var height: Int
        var format: String
        var interpolation: String
        var imageSize: Int
        var cropFraction: Double
        var expected: String

        var testDescription: String { "\(input) \(interpolation) \(imageSize) \(cropFraction)" }

        func image() throws -> PixelBuffer {
            try PixelBuffer(
                width: width, height: height, format: PixelFormat(rawValue: format)!, bytes: Fixtures.bytes(input))
        }

        func preprocessor() throws -> Preprocessor {
            try Fixtures.preprocessor(
                imageSize, cropFraction, PreprocessConfiguration.Interpolation(rawValue: interpolation)!)
        }
    }

    static let cases: [Case] = {
        do {
            return try JSONDecoder().decode([Case].self, from: Data(contentsOf: url("cases.json")))
        } catch {
            fatalError("cases.json: \(error)")
        }
    }()

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url(name)))
    }

    static func preprocessor(
        _ imageSize: Int, _ cropFraction: Double, _ interpolation: PreprocessConfiguration.Interpolation = .bicubic
    ) throws -> Preprocessor {
        try Preprocessor(
            PreprocessConfiguration(
                interpolation: interpolation, cropFraction: cropFraction, mean: [0.485, 0.456, 0.406],
                standardDeviation: [0.229, 0.224, 0.225]),
            imageSize: imageSize)
    }

    private static func url(_ name: String) -> URL {
        Bundle.module.resourceURL!.appendingPathComponent("Fixtures").appendingPathComponent(name)
    }
}
