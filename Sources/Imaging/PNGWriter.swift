import CETNetPreprocessing
import CPNG
import Foundation

/// Writes PNG files with libpng.
enum PNGWriter {
    /// Of libpng's `PNG_FORMAT_FLAG_…`, which are macros.
    private static let (color, linear, colormap): (UInt32, UInt32, UInt32) = (2, 4, 8)

    /// The bytes of a file of pixels.
    /// - Parameter image: in `rgb8` or `gray8`, rows without gaps.
    static func data(_ image: PixelBuffer) throws -> Data {
        try image.bytes.withUnsafeBytes {
            try data(
                $0, width: image.width, height: image.height, format: image.format == .gray8 ? 0 : color,
                rowElements: image.bytesPerRow)
        }
    }

    /// The bytes of a file whose values are indices, with the colours that they stand for: at most 256.
    static func data(indices: [UInt8], width: Int, height: Int, colors: [SIMD3<UInt8>]) throws -> Data {
        let map = colors.flatMap { [$0.x, $0.y, $0.z] }
        return try indices.withUnsafeBytes { indices in
            try map.withUnsafeBytes {
                try data(
                    indices, width: width, height: height, format: color | colormap, rowElements: width, colors: $0,
                    colorCount: colors.count)
            }
        }
    }

    /// The bytes of a file of 16-bit values.
    static func data(values: [UInt16], width: Int, height: Int) throws -> Data {
        try values.withUnsafeBytes {
            try data($0, width: width, height: height, format: linear, rowElements: width)
        }
    }

    private static func data(
        _ pixels: UnsafeRawBufferPointer, width: Int, height: Int, format: UInt32, rowElements: Int,
        colors: UnsafeRawBufferPointer? = nil, colorCount: Int = 0
    ) throws -> Data {
        var image = png_image()
        image.version = 1
        (image.width, image.height, image.format) = (UInt32(width), UInt32(height), format)
        image.colormap_entries = UInt32(colorCount)
        defer { png_image_free(&image) }
        func write(_ memory: UnsafeMutableRawPointer?, _ bytes: inout png_alloc_size_t) throws {
            guard
                png_image_write_to_memory(
                    &image, memory, &bytes, 0, pixels.baseAddress, png_int_32(rowElements), colors?.baseAddress) != 0
            else {
                let message = withUnsafeBytes(of: image.message) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                throw ImageError.unwritable(format: PNG.format, reason: message)
            }
        }
        // A first pass says how much memory the second one needs.
        var bytes = png_alloc_size_t(0)
        try write(nil, &bytes)
        var data = Data(count: Int(bytes))
        try data.withUnsafeMutableBytes { try write($0.baseAddress, &bytes) }
        return data.prefix(Int(bytes))
    }
}
