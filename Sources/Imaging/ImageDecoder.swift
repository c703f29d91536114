internal import CETNetMemory
public import CETNetPreprocessing
public import Foundation

/// Decodes JPEG and PNG images to 8-bit RGB.
///
/// The values are those of Pillow's `convert("RGB")`: grey is replicated, alpha and transparent colours are dropped
/// without blending, palettes are looked up, CMYK JPEGs are converted, and of 16 bits per channel the upper 8 are
/// kept (for 16-bit grey, too, which Pillow clips instead). Colour profiles and gamma are ignored. Of an animated PNG
/// the default image is taken.
///
/// Files from strangers are expected: all sizes are checked before anything is allocated for them. A decoder needs 3
/// bytes for each pixel (4 for CMYK), while it decodes a progressive JPEG up to 8 more, and while it turns an image
/// upright 3 more. A file that is truncated or damaged gives an error, not a part of an image; the exceptions are a
/// PNG that is whole but for what follows the pixels, and a JPEG with stray bytes between its segments.
///
/// A decoder is a value without mutable state: share it among any number of tasks.
public struct ImageDecoder: Sendable, Hashable {
    /// Images with more pixels are refused. The default, 2²⁷, is 134 megapixels and up to 400 MB of memory.
    public var maximumPixels: Int

    /// Longer files are refused. The default is 512 MiB.
    public var maximumBytes: Int

    /// Whether images are turned upright as the EXIF data of the file says (of a JPEG or PNG).
    public var appliesOrientation: Bool

    /// What all images that are decoded at the same time may need together. By default one for the whole process.
    public var memory: MemoryBudget

    public init(
        maximumPixels: Int = 1 << 27, maximumBytes: Int = 1 << 29, appliesOrientation: Bool = true,
        memory: MemoryBudget = .shared
    ) {
        self.maximumPixels = maximumPixels
        self.maximumBytes = maximumBytes
        self.appliesOrientation = appliesOrientation
        self.memory = memory
    }

    /// Decodes an image file. The format is told from its content; its name does not matter.
    ///
    /// - Returns: The image in `rgb8`, rows without gaps.
    /// - Throws: ``ImageError``, which names the file.
    public func decode(contentsOf url: URL) throws -> PixelBuffer {
        guard url.isFileURL else {
            throw ImageError.unreadable(source: url.absoluteString, reason: "expected the URL of a file")
        }
        return try decode(contentsOfFile: url.path)
    }

    /// Decodes an image file. The format is told from its content; its name does not matter.
    ///
    /// - Returns: The image in `rgb8`, rows without gaps.
    /// - Throws: ``ImageError``, which names the file.
    public func decode(contentsOfFile path: String) throws -> PixelBuffer {
        try withDecoded(contentsOfFile: path) { $0 }
    }

    /// Decodes the content of an image file, in any collection of bytes; copied only if it is not contiguous.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - source: What errors shall call it.
    /// - Returns: The image in `rgb8`, rows without gaps.
    /// - Throws: ``ImageError``.
    public func decode(_ bytes: some Sequence<UInt8>, source: String = "image data") throws -> PixelBuffer {
        try withDecoded(bytes, source: source) { $0 }
    }

    /// Decodes the content of an image file.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - source: What errors shall call it.
    /// - Returns: The image in `rgb8`, rows without gaps.
    /// - Throws: ``ImageError``.
    public func decode(_ bytes: UnsafeRawBufferPointer, source: String = "image data") throws -> PixelBuffer {
        try withDecoded(bytes, source: source) { $0 }
    }

    // MARK: The image counts to the budget until it has been used

    /// - Parameter name: the path in bytes, where it is not UTF-8; `path` is then only what errors call it.
    func withDecoded<Value>(
        contentsOfFile path: String, name: [UInt8]? = nil, _ use: (PixelBuffer) throws -> Value
    ) throws -> Value {
        let bytes = try ImageFile.read(path, name: name, maximumBytes: maximumBytes)
        return try bytes.withUnsafeBytes { try withDecoded($0, source: path, use) }
    }

    func withDecoded<Value>(
        _ bytes: some Sequence<UInt8>, source: String, _ use: (PixelBuffer) throws -> Value
    ) throws -> Value {
        try bytes.withContiguousStorageIfAvailable {
            try withDecoded(UnsafeRawBufferPointer($0), source: source, use)
        } ?? Array(bytes).withUnsafeBytes { try withDecoded($0, source: source, use) }
    }

    func withDecoded<Value>(
        _ bytes: UnsafeRawBufferPointer, source: String, _ use: (PixelBuffer) throws -> Value
    ) throws -> Value {
        guard bytes.count <= maximumBytes else {
            throw ImageError.tooManyBytes(source: source, maximumBytes: maximumBytes)
        }
        var taken = 0
        defer { if taken > 0 { memory.give(back: taken) } }
        /// Called with the size of an image before there is memory for it.
        func take(pixels: Int, bytesPerPixel: Int) {
            // Upright it is a second image beside the first.
            taken = pixels * max(bytesPerPixel, appliesOrientation ? 6 : 3)
            memory.take(taken)
        }
        func decoded() throws -> PixelBuffer {
            let (image, orientation) =
                switch FileFormat(of: bytes) {
                case .jpeg: try JPEG.decode(bytes, maximumPixels: maximumPixels, source: source, take)
                case .png: try PNG.decode(bytes, maximumPixels: maximumPixels, source: source, take)
                case .other(let format): throw ImageError.unsupportedFormat(source: source, format: format)
                }
            guard appliesOrientation, let orientation else { return image }
            return try orientation.applied(to: image)
        }
        let image: PixelBuffer
        do { image = try decoded() } catch let error as OutOfMemoryError {
            throw ImageError.outOfMemory(source: source, bytes: error.bytes)
        }
        return try use(image)
    }
}
