@_exported public import CETNet
public import Foundation

// Files and encoded images: JPEG and PNG, told apart by their contents. The `decoder` says how large an image may be,
// and whether EXIF orientation is applied; by default it is.

extension Image {
    /// The image file at a path.
    ///
    /// Using it throws ``ImageError`` if the file cannot be read or decoded.
    public static func file(_ path: String, decoder: ImageDecoder = ImageDecoder()) -> Image {
        Image(name: path, withPixels: { try decoder.withDecoded(contentsOfFile: path, $0) })
    }

    /// The image file at a URL; see ``file(_:decoder:)-(String,_)``.
    public static func file(_ url: URL, decoder: ImageDecoder = ImageDecoder()) -> Image {
        guard url.isFileURL else {
            return Image(name: url.absoluteString) { try decoder.decode(contentsOf: url) }  // which says so
        }
        return file(url.path, decoder: decoder)
    }

    /// The image file at a path that need not be UTF-8.
    /// - Parameters:
    ///   - path: the path's bytes, without the zero at their end.
    ///   - name: what errors call it.
    package static func file(
        bytes path: [UInt8], name: String, decoder: ImageDecoder = ImageDecoder()
    ) -> Image {
        Image(name: name, withPixels: { try decoder.withDecoded(contentsOfFile: name, name: path + [0], $0) })
    }

    /// An encoded image: the bytes of a JPEG or PNG file, as `[UInt8]`, `Data`, `UnsafeRawBufferPointer` or any other
    /// collection of bytes. They are copied only if they are not next to each other in memory.
    ///
    /// Using it throws ``ImageError`` if the bytes cannot be decoded.
    /// - Parameter name: what errors call the image.
    public static func encoded(
        _ bytes: some Sequence<UInt8> & Sendable, name: String = "image data", decoder: ImageDecoder = ImageDecoder()
    ) -> Image {
        Image(name: name, withPixels: { try decoder.withDecoded(bytes, source: name, $0) })
    }
}
