import Foundation

/// What is wrong with a pixel buffer or with the settings of preprocessing.
public enum PreprocessingError: LocalizedError, Equatable, Sendable, CustomStringConvertible {
    /// A side is not positive, or the image has more than `maximumPixels` pixels.
    case invalidSize(format: PixelFormat, width: Int, height: Int, maximumPixels: Int)
    /// The rows are closer together than their pixels need.
    case invalidBytesPerRow(format: PixelFormat, expectedAtLeast: Int, found: Int)
    /// The buffer ends before the last row does.
    case tooFewBytes(format: PixelFormat, expectedAtLeast: Int, found: Int)
    /// A setting of the preprocessor is out of its range. `name` is that of the initialiser's argument.
    case invalidSetting(name: String, expected: String, found: String)
    /// Resizing would make the longer side so long that Pillow could not do it either; the image is a thread.
    case tooElongated(width: Int, height: Int, resizedSide: Int, maximumSide: Int)
    /// There is no memory of `bytes` bytes for the resized image.
    case outOfMemory(bytes: Int)

    /// The same as ``description``.
    public var errorDescription: String? { description }

    /// What is wrong, in words for a person.
    public var description: String {
        switch self {
        case .invalidSize(let format, let width, let height, let maximumPixels):
            "\(format) image: expected sides from 1 and at most \(maximumPixels) pixels, found \(width)x\(height)"
        case .invalidBytesPerRow(let format, let expected, let found):
            "\(format) image: expected at least \(expected) bytes per row, found \(found)"
        case .tooFewBytes(let format, let expected, let found):
            "\(format) image: expected at least \(expected) bytes, found \(found)"
        case .invalidSetting(let name, let expected, let found):
            "preprocessing: expected \(name) to be \(expected), found \(found)"
        case .tooElongated(let width, let height, let resizedSide, let maximumSide):
            "image of \(width)x\(height) pixels: resizing makes its longer side \(resizedSide) pixels, "
                + "expected at most \(maximumSide)"
        case .outOfMemory(let bytes):
            "out of memory: the system does not give \(bytes) bytes"
        }
    }
}
