import CETNetPreprocessing

/// An image for a ``Model``: pixels in memory or, with the library `CETNetImaging`, a file or the bytes of one.
///
/// Nothing is read or decoded before a model asks for it, and nothing is kept afterwards, so a list of a million files
/// is small.
public struct Image: Sendable, CustomStringConvertible {
    /// What errors call the image; the path, if it is a file.
    public let name: String
    private let withPixels: @Sendable (_ use: (PixelBuffer) throws -> Void) throws -> Void

    /// An image of any source: another decoder, a camera, a page of a document.
    /// - Parameters:
    ///   - name: what errors call the image.
    ///   - read: gives the pixels; called for each use, on any thread.
    public init(name: String, read: @escaping @Sendable () throws -> PixelBuffer) {
        self.init(name: name, withPixels: { try $0(read()) })
    }

    /// An image of a source that has to know when its pixels are not needed any more.
    /// - Parameter withPixels: calls what it is given with the pixels, once.
    package init(name: String, withPixels: @escaping @Sendable (_ use: (PixelBuffer) throws -> Void) throws -> Void) {
        self.name = name
        self.withPixels = withPixels
    }

    /// Pixels in memory: a frame of a video, a canvas.
    public static func pixels(_ pixels: PixelBuffer, name: String = "image") -> Image {
        Image(name: name) { pixels }
    }

    /// Reads and decodes the image.
    /// - Throws: what its source throws; for files and bytes, `ImageError`.
    public func pixelBuffer() throws -> PixelBuffer {
        var pixels: PixelBuffer?
        try withPixelBuffer { pixels = $0 }
        return pixels!
    }

    /// Reads and decodes the image for `use`, which keeps nothing of it.
    func withPixelBuffer(_ use: (PixelBuffer) throws -> Void) throws { try withPixels(use) }

    /// The same as ``name``.
    public var description: String { name }
}
