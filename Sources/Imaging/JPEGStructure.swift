import Foundation

/// What the markers of a JPEG file say, read without decoding anything. One pass over the file.
///
/// Source: ITU-T T.81, annex B.
struct JPEGStructure {
    /// The number of scans, passes that each bring a part of the image.
    private(set) var scans = 0
    /// Whether the marker that ends an image is there.
    private(set) var isComplete = false
    /// Code of the start-of-frame marker, 0xC0…0xCF: which process of T.81 encoded the image.
    private(set) var process: UInt8?
    /// Bits per channel.
    private(set) var precision: UInt8?
    /// The EXIF data, a TIFF file of its own.
    private(set) var exif: Range<Int>?

    init(_ bytes: UnsafeRawBufferPointer) {
        var position = 2
        // The next marker is the next 0xFF that is not followed by 0x00 (that is data) or 0xFF (that is padding).
        while position < bytes.count - 1,
            let found = memchr(bytes.baseAddress! + position, 0xFF, bytes.count - 1 - position)
        {
            position = UnsafeRawPointer(found) - bytes.baseAddress! + 1
            let marker = bytes[position]
            if marker == 0xFF { continue }
            position += 1
            switch marker {
            case 0x00, 0x01, 0xD0...0xD8:
                continue
            case 0xD9:
                isComplete = true
                return
            default:
                // All others are followed by a length that counts itself, and by that much data.
                guard position + 2 <= bytes.count else { return }
                let length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
                guard length >= 2, position + length <= bytes.count else { return }
                read(marker, UnsafeRawBufferPointer(rebasing: bytes[position + 2..<position + length]), position + 2)
                position += length
            }
        }
    }

    private mutating func read(_ marker: UInt8, _ segment: UnsafeRawBufferPointer, _ offset: Int) {
        switch marker {
        case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
            if process == nil, let first = segment.first {
                process = marker
                precision = first
            }
        case 0xDA:
            scans += 1
        case 0xE1 where exif == nil && scans == 0:
            let prefix = Array("Exif\0\0".utf8)
            if segment.starts(with: prefix) { exif = offset + prefix.count..<offset + segment.count }
        default:
            break
        }
    }
}
