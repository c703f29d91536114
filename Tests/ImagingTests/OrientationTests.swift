import CETNetImaging
import CETNetPreprocessing
import Testing

@Suite("Orientation")
struct OrientationTests {
    /// EXIF data with one tag.
    private func exif(
        tag: UInt16 = 0x0112, type: UInt16 = 3, count: UInt32 = 1, value: [UInt8], bigEndian: Bool = false
    ) -> [UInt8] {
        func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian, Array.init)
        }
        return (bigEndian ? [0x4D, 0x4D] : [0x49, 0x49]) + bytes(UInt16(42)) + bytes(UInt32(8)) + bytes(UInt16(1))
            + bytes(tag) + bytes(type) + bytes(count) + value
    }

    private func read(_ exif: [UInt8]) -> Orientation? {
        exif.withUnsafeBytes { Orientation(exif: $0) }
    }

    @Test("of any integer type and either byte order")
    func types() {
        #expect(read(exif(value: [6, 0, 0, 0])) == .rightTop)
        #expect(read(exif(value: [0, 6, 0, 0], bigEndian: true)) == .rightTop)
        #expect(read(exif(type: 1, value: [3, 0, 0, 0])) == .bottomRight)
        #expect(read(exif(type: 4, value: [0, 0, 0, 8], bigEndian: true)) == .leftBottom)
    }

    @Test("what is not an orientation is none")
    func nonsense() {
        #expect(read([]) == nil)
        #expect(read(exif(value: [0, 0, 0, 0])) == nil)
        #expect(read(exif(value: [9, 0, 0, 0])) == nil)
        #expect(read(exif(value: [1, 1, 0, 0])) == nil)
        #expect(read(exif(tag: 0x0111, value: [6, 0, 0, 0])) == nil)
        #expect(read(exif(type: 2, value: [6, 0, 0, 0])) == nil)
        #expect(read(exif(count: 2, value: [6, 0, 0, 0])) == nil)
        #expect(read(exif(type: 4, value: [255, 255, 255, 255])) == nil)
    }

    @Test("data cut anywhere, and offsets and counts out of range, are no orientation")
    func malformed() {
        let whole = exif(value: [6, 0, 0, 0])
        for count in 0..<whole.count { #expect(read(Array(whole.prefix(count))) == nil, "\(count) bytes") }
        for offset: [UInt8] in [
            [0, 0, 0, 0], [7, 0, 0, 0], [255, 255, 255, 255], [21, 0, 0, 0], [255, 255, 255, 127],
        ] {
            var changed = whole
            changed.replaceSubrange(4..<8, with: offset)
            #expect(read(changed) == nil, "\(offset)")
        }
        // More entries than there is data for: the first still counts.
        var changed = whole
        changed.replaceSubrange(8..<10, with: [255, 255])
        #expect(read(changed) == .rightTop)
        changed[10] = 0
        #expect(read(changed) == nil)
    }

    @Test("turning moves every pixel to its place, whatever the layout", arguments: Orientation.allCases)
    func turning(_ orientation: Orientation) throws {
        // Larger than one square of the loop, and no multiple of it.
        let width = 45, height = 37
        for format in [PixelFormat.gray8, .rgb8, .rgba8] {
            let pixelBytes = format.bytesPerPixel, stride = width * pixelBytes + 2
            let bytes = (0..<height * stride).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) }
            let image = try PixelBuffer(
                width: width, height: height, format: format, bytesPerRow: stride, bytes: bytes)
            let turned = try orientation.applied(to: image)
            #expect(turned.width == (orientation.swapsSides ? height : width))
            #expect(turned.height == (orientation.swapsSides ? width : height))
            for y in 0..<height {
                for x in 0..<width {
                    // Where EXIF's words for row 0 and column 0 put the stored pixel.
                    let (newX, newY) =
                        switch orientation {
                        case .topLeft: (x, y)
                        case .topRight: (width - 1 - x, y)
                        case .bottomRight: (width - 1 - x, height - 1 - y)
                        case .bottomLeft: (x, height - 1 - y)
                        case .leftTop: (y, x)
                        case .rightTop: (height - 1 - y, x)
                        case .rightBottom: (height - 1 - y, width - 1 - x)
                        case .leftBottom: (y, width - 1 - x)
                        }
                    let from = y * stride + x * pixelBytes
                    let to = newY * turned.bytesPerRow + newX * pixelBytes
                    guard bytes[from..<from + pixelBytes].elementsEqual(turned.bytes[to..<to + pixelBytes]) else {
                        Issue.record("\(format): pixel \(x), \(y) is not at \(newX), \(newY)")
                        return
                    }
                }
            }
        }
    }
}
