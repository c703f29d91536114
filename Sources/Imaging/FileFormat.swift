/// The format of a file by its first bytes, whatever its name says.
enum FileFormat: Equatable {
    case jpeg
    case png
    /// Something else; the name is for the error message.
    case other(String)

    /// How many bytes from the start suffice to tell.
    static let prefixLength = 32

    init(of bytes: UnsafeRawBufferPointer) {
        func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count
                && zip(bytes[offset...], signature).allSatisfy { $0 == $1 }
        }
        func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }

        if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.isEmpty {
            self = .other("empty file")
        } else if has("ftyp", at: 4) {
            self = .other(Self.brand(of: bytes))
        } else {
            let known = Self.signatures.first { has($0.bytes, at: $0.offset) }
            self = .other(known?.name ?? "unknown")
        }
    }

    private static let signatures: [(name: String, offset: Int, bytes: [UInt8])] = [
        ("GIF", 0, Array("GIF8".utf8)),
        ("WebP", 8, Array("WEBP".utf8)),
        ("TIFF", 0, [0x49, 0x49, 0x2A, 0x00]),
        ("TIFF", 0, [0x4D, 0x4D, 0x00, 0x2A]),
        ("BigTIFF", 0, [0x49, 0x49, 0x2B, 0x00]),
        ("BigTIFF", 0, [0x4D, 0x4D, 0x00, 0x2B]),
        ("JPEG XL", 0, [0xFF, 0x0A]),
        ("JPEG XL", 4, Array("JXL ".utf8)),
        ("JPEG 2000", 4, Array("jP  ".utf8)),
        ("JPEG 2000", 0, [0xFF, 0x4F, 0xFF, 0x51]),
        ("Photoshop", 0, Array("8BPS".utf8)),
        ("icon", 0, [0x00, 0x00, 0x01, 0x00]),
        ("MNG", 0, [0x8A, 0x4D, 0x4E, 0x47]),
        ("OpenEXR", 0, [0x76, 0x2F, 0x31, 0x01]),
        ("Radiance HDR", 0, Array("#?RADIANCE".utf8)),
        ("QOI", 0, Array("qoif".utf8)),
        ("PDF", 0, Array("%PDF".utf8)),
        ("SVG", 0, Array("<svg".utf8)),
        ("XML", 0, Array("<?xml".utf8)),
        ("netpbm", 0, Array("P4".utf8)),
        ("netpbm", 0, Array("P5".utf8)),
        ("netpbm", 0, Array("P6".utf8)),
        ("NumPy array", 0, [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]),
        ("gzip", 0, [0x1F, 0x8B]),
        ("ZIP", 0, Array("PK".utf8)),
        ("BMP", 0, Array("BM".utf8)),
    ]

    /// What an ISO base media file holds, by its major brand.
    private static func brand(of bytes: UnsafeRawBufferPointer) -> String {
        switch String(decoding: bytes.dropFirst(8).prefix(4), as: UTF8.self) {
        case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1": "HEIC"
        case "avif", "avis": "AVIF"
        case "crx ": "Canon raw"
        default: "MPEG-4 video"
        }
    }
}
