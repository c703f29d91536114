/// How the bytes of a pixel are laid out. One byte per channel, values 0–255 as they are stored in image files
/// (sRGB, not linear); alpha is ignored, not multiplied in.
public enum PixelFormat: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case rgb8, bgr8, rgba8, bgra8, gray8

    /// Bytes of one pixel.
    public var bytesPerPixel: Int {
        switch self {
        case .gray8: 1
        case .rgb8, .bgr8: 3
        case .rgba8, .bgra8: 4
        }
    }

    /// The channels that carry colour: 1 for grey, otherwise 3.
    package var colorChannels: Int { self == .gray8 ? 1 : 3 }

    /// Where red, green and blue are in a pixel; grey has one value for all three.
    package var channelOffsets: (red: Int, green: Int, blue: Int) {
        switch self {
        case .gray8: (0, 0, 0)
        case .rgb8, .rgba8: (0, 1, 2)
        case .bgr8, .bgra8: (2, 1, 0)
        }
    }

    public var description: String { rawValue }
}

/// An image in memory: `height` rows of `width` pixels, from the top, each row from the left.
///
/// A buffer is valid once made: its sides are positive, and every row lies inside of `bytes`.
public struct PixelBuffer: Sendable, Hashable {
    /// The most pixels that a buffer may have, 2³⁰. Decoders have much lower limits of their own.
    public static let maximumPixels = 1 << 30

    public let width: Int
    public let height: Int
    public let format: PixelFormat
    /// Distance of two rows in bytes, at least `width × format.bytesPerPixel`.
    public let bytesPerRow: Int
    /// The rows, one after another. Bytes between the end of a row and the start of the next have no meaning.
    public let bytes: [UInt8]

    /// Checks and wraps an image.
    ///
    /// - Parameters:
    ///   - width: Pixels in a row, from 1.
    ///   - height: Rows, from 1; `width × height` is at most ``maximumPixels``.
    ///   - format: The layout of a pixel.
    ///   - bytesPerRow: Distance of two rows; without it they follow each other without a gap.
    ///   - bytes: The rows. The last one need not be padded to `bytesPerRow`.
    /// - Throws: ``PreprocessingError`` that says which size was expected and which was found.
    public init(
        width: Int, height: Int, format: PixelFormat, bytesPerRow: Int? = nil, bytes: [UInt8]
    ) throws(PreprocessingError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, pixels <= Self.maximumPixels else {
            throw .invalidSize(
                format: format, width: width, height: height, maximumPixels: Self.maximumPixels)
        }
        let rowBytes = width * format.bytesPerPixel
        let stride = bytesPerRow ?? rowBytes
        guard stride >= rowBytes else {
            throw .invalidBytesPerRow(format: format, expectedAtLeast: rowBytes, found: stride)
        }
        let (gaps, gapsOverflow) = (height - 1).multipliedReportingOverflow(by: stride)
        let (needed, neededOverflow) = gaps.addingReportingOverflow(rowBytes)
        guard !gapsOverflow, !neededOverflow, bytes.count >= needed else {
            throw .tooFewBytes(
                format: format, expectedAtLeast: gapsOverflow || neededOverflow ? .max : needed, found: bytes.count)
        }
        self.width = width
        self.height = height
        self.format = format
        self.bytesPerRow = stride
        self.bytes = bytes
    }

    /// `width × height`.
    public var pixelCount: Int { width * height }
}
