import CETNetPreprocessing
import TestSupport
import Testing

@Suite("Preprocessing against Pillow")
struct PillowTests {
    @Test("every pixel is Pillow's", arguments: Fixtures.cases)
    func pixels(_ fixture: Fixtures.Case) throws {
        let expected = try Fixtures.bytes(fixture.expected)
        let result = try fixture.preprocessor().crop(fixture.image())
        #expect(result.width == fixture.imageSize && result.height == fixture.imageSize)
        try #require(result.bytes.count == expected.count)
        let wrong = expected.indices.filter { result.bytes[$0] != expected[$0] }
        #expect(
            wrong.isEmpty,
            """
            \(wrong.count) of \(expected.count) values differ, the first at \(wrong.first ?? 0): \
            found \(wrong.first.map { result.bytes[$0] } ?? 0), expected \(wrong.first.map { expected[$0] } ?? 0)
            """)
    }

    @Test("normalised values are torchvision's, bit for bit", arguments: Fixtures.cases)
    func values(_ fixture: Fixtures.Case) throws {
        let tables = try Fixtures.bytes("normalized.f32").withUnsafeBytes { bytes in
            (0..<3 * 256).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        let expectedBytes = try Fixtures.bytes(fixture.expected)
        let plane = fixture.imageSize * fixture.imageSize
        let channels = expectedBytes.count / plane
        let values = try fixture.preprocessor()(fixture.image())
        try #require(values.count == 3 * plane)
        for channel in 0..<3 {
            for pixel in 0..<plane {
                let byte = Int(expectedBytes[pixel * channels + channel % channels])
                let found = values[channel * plane + pixel], expected = tables[channel * 256 + byte]
                guard found.bitPattern == expected.bitPattern else {
                    Issue.record("channel \(channel), pixel \(pixel): found \(found), expected \(expected)")
                    return
                }
            }
        }
    }

    @Test("the layout of the pixels makes no difference", arguments: Fixtures.cases.filter { $0.format == "rgb8" })
    func layouts(_ fixture: Fixtures.Case) throws {
        let image = try fixture.image()
        let expected = try Fixtures.bytes(fixture.expected)
        let orders: [(PixelFormat, [Int?])] = [
            (.rgb8, [0, 1, 2]), (.bgr8, [2, 1, 0]), (.rgba8, [0, 1, 2, nil]), (.bgra8, [2, 1, 0, nil]),
        ]
        var random = SeededGenerator(seed: 1)
        for (format, order) in orders {
            for gap in [0, 5] {
                var bytes: [UInt8] = []
                for y in 0..<image.height {
                    for x in 0..<image.width {
                        let pixel = y * image.bytesPerRow + 3 * x
                        bytes += order.map {
                            $0.map { image.bytes[pixel + $0] } ?? .random(in: 0...255, using: &random)
                        }
                    }
                    // The last row is not padded.
                    if y < image.height - 1 { bytes += (0..<gap).map { _ in .random(in: 0...255, using: &random) } }
                }
                let buffer = try PixelBuffer(
                    width: image.width, height: image.height, format: format,
                    bytesPerRow: image.width * order.count + gap, bytes: bytes)
                let result = try fixture.preprocessor().crop(buffer)
                #expect(result.bytes == expected, "\(format), \(gap) bytes between rows")
            }
        }
    }

    @Test("grey gives the same as equal channels")
    func grey() throws {
        let fixture = try #require(Fixtures.cases.first { $0.format == "gray8" })
        let image = try fixture.image()
        let preprocessor = try fixture.preprocessor()
        let colors = try PixelBuffer(
            width: image.width, height: image.height, format: .rgb8, bytes: image.bytes.flatMap { [$0, $0, $0] })
        #expect(try preprocessor(image) == preprocessor(colors))
    }
}
