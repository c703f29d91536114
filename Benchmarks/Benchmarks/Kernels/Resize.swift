import Benchmark
import CETNetPreprocessing

/// A photograph of a camera's size to the 224×224 crop that the network sees: Pillow's bicubic filter, two passes.
final class Resize: Kernel {
    struct Photo {
        let width: Int
        let height: Int
    }

    static let photos = [Photo(width: 640, height: 480), Photo(width: 4000, height: 3000)]

    static func name(_ photo: Photo) -> String { "resize \(photo.width)x\(photo.height) to 224x224" }

    private static let side = 224
    private let preprocessor: Preprocessor
    private let image: PixelBuffer
    private var result: PixelBuffer?

    init(_ photo: Photo) throws {
        preprocessor = try Preprocessor(
            PreprocessConfiguration(cropFraction: 0.875, mean: [0.5, 0.5, 0.5], standardDeviation: [0.5, 0.5, 0.5]),
            imageSize: Self.side)
        var bytes = [UInt8](repeating: 0, count: photo.width * photo.height * 3)
        for y in 0..<photo.height {
            for x in 0..<photo.width {
                // Slopes, which a resampling filter whose weights sum to 1 leaves as they are.
                let at = 3 * (y * photo.width + x)
                bytes[at] = UInt8(x * 255 / (photo.width - 1))
                bytes[at + 1] = UInt8(y * 255 / (photo.height - 1))
                bytes[at + 2] = 77
            }
        }
        image = try PixelBuffer(width: photo.width, height: photo.height, format: .rgb8, bytes: bytes)
    }

    static let rate = BenchmarkMetric.gigabytes
    var work: Int { image.width * image.height * 3 + Self.side * Self.side * 3 }

    func run() {
        do {
            result = try preprocessor.crop(image)
        } catch {
            fatalError("\(error)")
        }
    }

    func check() throws(WrongResult) {
        let crop = result!
        // The shorter side becomes 256; the crop is its middle 224.
        let scale = Double(min(image.width, image.height)) / 256
        func value(_ position: Int, of length: Int) -> Double {
            let resized = (Double(length) / scale).rounded(.down)
            let first = ((resized - Double(Self.side)) / 2).rounded()
            // The source coordinate of the pixel's centre.
            let source = (first + Double(position) + 0.5) * Double(length) / resized - 0.5
            return source * 255 / Double(length - 1)
        }
        for y in sample(of: Self.side) {
            for x in sample(of: Self.side) {
                let at = y * crop.bytesPerRow + 3 * x
                let expected = [value(x, of: image.width), value(y, of: image.height), 77]
                for (channel, expected) in expected.enumerated() {
                    // The slopes are rounded down to bytes, and both passes round.
                    try expect(
                        Float(crop.bytes[at + channel]), near: expected, tolerance: 2,
                        "column \(x), row \(y), channel \(channel)")
                }
            }
        }
    }
}
