package import CETNetPreprocessing

/// How an image has to be turned to stand upright: tag 0x0112 of EXIF. The names say where row 0 and column 0 of the
/// stored image belong.
package enum Orientation: Int, Sendable, CaseIterable {
    case topLeft = 1, topRight, bottomRight, bottomLeft, leftTop, rightTop, rightBottom, leftBottom

    /// Whether width and height change places.
    package var swapsSides: Bool { rawValue >= 5 }

    /// The image turned upright. Takes the memory of a second image unless there is nothing to turn.
    package func applied(to image: PixelBuffer) throws -> PixelBuffer {
        if self == .topLeft { return image }
        let pixelBytes = image.format.bytesPerPixel
        let column = pixelBytes, row = image.bytesPerRow
        let right = (image.width - 1) * column, bottom = (image.height - 1) * row
        // Where the stored pixel is that comes first, and how far it is to the next one in a row and in a column.
        let (start, toRight, down) =
            switch self {
            case .topLeft: (0, column, row)
            case .topRight: (right, -column, row)
            case .bottomRight: (bottom + right, -column, -row)
            case .bottomLeft: (bottom, column, -row)
            case .leftTop: (0, row, column)
            case .rightTop: (bottom, -row, column)
            case .rightBottom: (bottom + right, -row, -column)
            case .leftBottom: (right, row, -column)
            }
        let size = (
            width: swapsSides ? image.height : image.width, height: swapsSides ? image.width : image.height
        )
        let bytes = try PixelStorage.make(count: size.width * size.height * pixelBytes) { result in
            image.bytes.withUnsafeBytes { source in
                let start = source.baseAddress! + start
                switch pixelBytes {
                case 1: copy(UInt8.self, from: start, toRight, down, to: result, size)
                case 3: copy(Triple.self, from: start, toRight, down, to: result, size)
                default: copy(UInt32.self, from: start, toRight, down, to: result, size)
                }
            }
        }
        return try PixelBuffer(width: size.width, height: size.height, format: image.format, bytes: bytes)
    }

    /// A pixel of three bytes, copied as one.
    private struct Triple: BitwiseCopyable {
        var first, second, third: UInt8
    }

    /// Copies pixels that are `toRight` and `down` bytes apart to rows without gaps.
    @inline(__always)
    private func copy<Pixel: BitwiseCopyable>(
        _: Pixel.Type, from start: UnsafeRawPointer, _ toRight: Int, _ down: Int, to result: UnsafeMutableRawPointer,
        _ size: (width: Int, height: Int)
    ) {
        let pixelBytes = MemoryLayout<Pixel>.size
        // In squares, so that neither side walks through the whole memory for every pixel.
        let square = 64
        for top in stride(from: 0, to: size.height, by: square) {
            for left in stride(from: 0, to: size.width, by: square) {
                for y in top..<min(top + square, size.height) {
                    var from = start + (y * down + left * toRight)
                    var to = result + (y * size.width + left) * pixelBytes
                    for _ in left..<min(left + square, size.width) {
                        to.storeBytes(of: from.loadUnaligned(as: Pixel.self), as: Pixel.self)
                        from += toRight
                        to += pixelBytes
                    }
                }
            }
        }
    }
}

extension Orientation {
    /// The orientation that EXIF data gives: a TIFF file whose first directory may have the tag.
    ///
    /// Anything that is not as it should be, and an orientation outside of 1…8, is no orientation. Only the one
    /// directory is read, every offset is checked, and nothing is followed, so the time is bounded by its 65,535
    /// entries.
    package init?(exif: UnsafeRawBufferPointer) {
        guard exif.count >= 8 else { return nil }
        let isLittleEndian: Bool
        switch (exif[0], exif[1]) {
        case (0x49, 0x49): isLittleEndian = true
        case (0x4D, 0x4D): isLittleEndian = false
        default: return nil
        }
        func short(at offset: Int) -> Int {
            let value = exif.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return Int(isLittleEndian ? UInt16(littleEndian: value) : UInt16(bigEndian: value))
        }
        func long(at offset: Int) -> Int {
            let value = exif.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return Int(isLittleEndian ? UInt32(littleEndian: value) : UInt32(bigEndian: value))
        }

        guard short(at: 2) == 42 else { return nil }
        let directory = long(at: 4)
        guard directory >= 8, directory <= exif.count - 2 else { return nil }
        for index in 0..<short(at: directory) {
            // Tag, type, number of values, and the value itself where it fits into four bytes.
            let entry = directory + 2 + index * 12
            guard entry <= exif.count - 12 else { return nil }
            guard short(at: entry) == 0x0112 else { continue }
            guard long(at: entry + 4) == 1 else { return nil }
            switch short(at: entry + 2) {
            case 1: self.init(rawValue: Int(exif[entry + 8]))
            case 3: self.init(rawValue: short(at: entry + 8))
            case 4: self.init(rawValue: long(at: entry + 8))
            default: return nil
            }
            return
        }
        return nil
    }
}
