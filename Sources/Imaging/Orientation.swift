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
        let width = swapsSides ? image.height : image.width
        let height = swapsSides ? image.width : image.height
        let count = width * height * pixelBytes
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { result, filled in
            filled = count
            image.bytes.withUnsafeBufferPointer { source in
                // In squares, so that neither side walks through the whole memory for every pixel.
                let square = 32
                for top in stride(from: 0, to: height, by: square) {
                    for left in stride(from: 0, to: width, by: square) {
                        for y in top..<min(top + square, height) {
                            var from = source.baseAddress! + (start + y * down + left * toRight)
                            var to = result.baseAddress! + (y * width + left) * pixelBytes
                            for _ in left..<min(left + square, width) {
                                for b in 0..<pixelBytes { to[b] = from[b] }
                                from += toRight
                                to += pixelBytes
                            }
                        }
                    }
                }
            }
        }
        return try PixelBuffer(width: width, height: height, format: image.format, bytes: bytes)
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
