import Foundation

/// Why an image could not be decoded. `source` is the file's path, or what the caller called the data.
public enum ImageError: LocalizedError, Equatable, Sendable, CustomStringConvertible {
    /// There is no such file.
    case notFound(source: String)
    /// The file cannot be read: no permission, a folder, a device's failure.
    case unreadable(source: String, reason: String)
    /// The file is not JPEG or PNG; `format` says what its first bytes look like, "unknown" if like nothing common.
    case unsupportedFormat(source: String, format: String)
    /// The file is JPEG or PNG, but of a kind that is not decoded: a lossless JPEG, 12 bits per channel.
    case unsupportedEncoding(source: String, format: String, reason: String)
    /// The data ends before the image does.
    case truncated(source: String, format: String)
    /// The data contradicts itself; `reason` is usually the decoder's own message.
    case damaged(source: String, format: String, reason: String)
    /// The image's header gives more pixels than are allowed. Nothing was allocated for them.
    case tooManyPixels(source: String, width: Int, height: Int, maximumPixels: Int)
    /// The file is longer than is allowed.
    case tooManyBytes(source: String, maximumBytes: Int)
    /// A progressive JPEG has more passes over the image than any encoder writes; decoding it could take for ever.
    case tooManyScans(source: String, scans: Int, maximumScans: Int)
    /// An image cannot be written; `reason` is the encoder's own message.
    case unwritable(format: String, reason: String)
    /// There is no memory of `bytes` bytes for the file or its pixels.
    case outOfMemory(source: String, bytes: Int)

    /// The same as ``description``.
    public var errorDescription: String? { description }

    /// What is wrong, in words for a person.
    public var description: String {
        switch self {
        case .notFound(let source):
            "\(source): no such file"
        case .unreadable(let source, let reason):
            "\(source): cannot be read: \(reason)"
        case .unsupportedFormat(let source, let format):
            "\(source): expected a JPEG or PNG image, found format: \(format)"
        case .unsupportedEncoding(let source, let format, let reason):
            "\(source): this kind of \(format) is not supported: \(reason)"
        case .truncated(let source, let format):
            "\(source): the \(format) data ends early"
        case .damaged(let source, let format, let reason):
            "\(source): damaged \(format): \(reason)"
        case .tooManyPixels(let source, let width, let height, let maximumPixels):
            "\(source): expected at most \(maximumPixels) pixels, found \(width)x\(height)"
        case .tooManyBytes(let source, let maximumBytes):
            "\(source): expected at most \(maximumBytes) bytes, found more"
        case .tooManyScans(let source, let scans, let maximumScans):
            "\(source): expected at most \(maximumScans) scans in a JPEG, found \(scans)"
        case .unwritable(let format, let reason):
            "cannot be written as \(format): \(reason)"
        case .outOfMemory(let source, let bytes):
            "\(source): out of memory: the system does not give \(bytes) bytes"
        }
    }
}
