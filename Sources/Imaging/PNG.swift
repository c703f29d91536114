internal import CETNetPreprocessing
internal import CPNGReader

/// PNG with libpng: the values as they are stored, without regard to gamma, profiles, background or transparency,
/// which is what Pillow's `convert("RGB")` gives for all but 16-bit grey. Of 16 bits the upper 8 are kept.
enum PNG {
    static let format = "PNG"

    /// - Parameters:
    ///   - source: the name of the data for errors.
    ///   - take: called with pixels and bytes for each before there is memory for them.
    /// - Returns: the image in `rgb8` as stored, and how to turn it.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, maximumPixels: Int, source: String, _ take: (Int, Int) -> Void
    ) throws -> (image: PixelBuffer, orientation: Orientation?) {
        let chunks = Chunks(bytes)
        guard bytes.count >= 33 else { throw ImageError.truncated(source: source, format: format) }
        guard let header = chunks.first(where: { _ in true }), header.type == "IHDR", header.data.count == 13 else {
            throw ImageError.damaged(source: source, format: format, reason: "the file does not begin with a header")
        }
        let width = chunks.integer(at: header.data.lowerBound)
        let height = chunks.integer(at: header.data.lowerBound + 4)
        guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height) else {
            throw ImageError.damaged(
                source: source, format: format, reason: "the header gives a size of \(width)x\(height)")
        }
        // No overflow: both are below 2³¹.
        guard width * height <= min(maximumPixels, PixelBuffer.maximumPixels) else {
            throw ImageError.tooManyPixels(
                source: source, width: width, height: height, maximumPixels: maximumPixels)
        }

        take(width * height, 3)
        let storage = try PixelStorage.make(count: width * height * 3) { pixels in
            var image = cetnet_png_image()
            image.bytes = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
            image.count = bytes.count
            image.width = UInt32(width)
            image.height = UInt32(height)
            image.pixels = pixels
            let status = cetnet_read_png(&image)
            guard status == CETNET_PNG_OK else { throw error(status, message(of: image), source) }
        }
        let exif = chunks.first { $0.type == "eXIf" }
        let orientation = exif.flatMap { Orientation(exif: UnsafeRawBufferPointer(rebasing: bytes[$0.data])) }
        return (try PixelBuffer(width: width, height: height, format: .rgb8, bytes: storage), orientation)
    }

    private static func error(_ status: cetnet_png_status, _ message: String, _ source: String) -> ImageError {
        switch status {
        case CETNET_PNG_TRUNCATED: .truncated(source: source, format: format)
        case CETNET_PNG_OUT_OF_MEMORY: .unreadable(source: source, reason: "no memory for the PNG decoder")
        default: .damaged(source: source, format: format, reason: message)
        }
    }

    private static func message(of image: cetnet_png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// The chunks of a PNG file in order, up to the first that is not whole. Check sums are left to libpng.
private struct Chunks: Sequence, IteratorProtocol {
    private let bytes: UnsafeRawBufferPointer
    /// Behind the signature.
    private var position = 8

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    func integer(at offset: Int) -> Int {
        Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    /// A chunk is its length, its type, that many bytes, and a check sum.
    mutating func next() -> (type: String, data: Range<Int>)? {
        guard position <= bytes.count - 12 else { return nil }
        let start = position + 8
        let length = integer(at: position)
        guard length <= bytes.count - start - 4 else { return nil }
        defer { position = start + length + 4 }
        return (String(decoding: bytes[position + 4..<start], as: UTF8.self), start..<start + length)
    }
}
