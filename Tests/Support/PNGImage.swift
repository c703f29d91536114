/// Makes small PNG files for tests: 8-bit RGB, not compressed.
public enum PNGImage {
    /// The bytes of a PNG file.
    /// - Parameter pixel: red, green and blue at a row and column.
    public static func bytes(
        width: Int, height: Int, pixel: (_ row: Int, _ column: Int) -> (UInt8, UInt8, UInt8)
    ) -> [UInt8] {
        var rows: [UInt8] = []
        for row in 0..<height {
            rows.append(0)  // Filter: none.
            for column in 0..<width {
                let (red, green, blue) = pixel(row, column)
                rows += [red, green, blue]
            }
        }
        var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        file += chunk("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0])
        file += chunk("IDAT", zlib(rows))
        file += chunk("IEND", [])
        return file
    }

    /// The bytes of a PNG file with a pattern that depends on `seed`.
    public static func pattern(width: Int, height: Int, seed: Int) -> [UInt8] {
        bytes(width: width, height: height) { row, column in
            (
                UInt8(truncatingIfNeeded: row &* (seed &+ 3)), UInt8(truncatingIfNeeded: column &* (2 &* seed &+ 5)),
                UInt8(truncatingIfNeeded: (row ^ column) &* 7 &+ 31 &* seed)
            )
        }
    }

    /// A PNG file with the check sums of all chunks put right, as far as chunks can be followed: a damaged file whose
    /// damage is then looked at.
    public static func withCheckSums(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - position - 12 else { break }
            let end = position + 8 + length
            bytes.replaceSubrange(end..<end + 4, with: bigEndian(crc32(bytes[position + 4..<end])))
            position = end + 4
        }
        return bytes
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(crc32(body))
    }

    /// RFC 1950 around stored blocks of RFC 1951.
    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65535, data.count)
            let count = UInt16(end - start)
            output.append(end == data.count ? 1 : 0)
            output += [UInt8(count & 0xff), UInt8(count >> 8), UInt8(~count & 0xff), UInt8(~count >> 8)]
            output += data[start..<end]
            start = end
        } while start < data.count
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in data {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return output + bigEndian(b << 16 | a)
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
    }

    private static func crc32(_ data: some Sequence<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in data {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
