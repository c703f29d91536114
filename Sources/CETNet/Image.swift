import CETNetPreprocessing

/// An image for a ``Model``: pixels in memory or, with the library `CETNetImaging`, a file or the bytes of one.
///
/// Nothing is read or decoded before a model asks for it, and nothing is kept afterwards, so a list of a million files
/// is small.
public struct Image: Sendable, CustomStringConvertible {
    /// What errors call the image; the path, if it is a file.
    public let name: String
    private let read: @Sendable () throws -> PixelBuffer

    /// An image of any source: another decoder, a camera, a page of a document.
    /// - Parameters:
    ///   - name: what errors call the image.
    ///   - read: gives the pixels; called for each use, on any thread.
    public init(name: String, read: @escaping @Sendable () throws -> PixelBuffer) {
        self.name = name
        self.read = read
    }

    /// Pixels in memory: a frame of a video, a canvas.
    public static func pixels(_ pixels: PixelBuffer, name: String = "image") -> Image {
        Image(name: name) { pixels }
    }

    /// Reads and decodes the image.
    /// - Throws: what its source throws; for files and bytes, `ImageError`.
    public func pixelBuffer() throws -> PixelBuffer { try read() }

    /// The same as ``name``.
    public var description: String { name }
}
