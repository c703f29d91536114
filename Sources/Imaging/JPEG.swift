internal import CETNetPreprocessing
internal import CTurboJPEG

/// JPEG with TurboJPEG's accurate inverse transform and smooth upsampling: the values that Pillow's decoder gives.
enum JPEG {
    /// Scans of one image. Encoders write about ten for a progressive JPEG, and some dozens at the very most; each
    /// may cost a pass over the whole image for a few bytes of file.
    static let maximumScans = 100

    static let format = "JPEG"

    /// - Parameters:
    ///   - source: the name of the data for errors.
    ///   - take: called with pixels and bytes for each before there is memory for them.
    /// - Returns: the image in `rgb8` as stored, and how to turn it.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, maximumPixels: Int, source: String, _ take: (Int, Int) -> Void
    ) throws -> (image: PixelBuffer, orientation: Orientation?) {
        let structure = JPEGStructure(bytes)
        try check(structure, source)
        guard let handle = tjInitDecompress() else {
            throw ImageError.unreadable(source: source, reason: "no memory for the JPEG decoder")
        }
        let decompressor = Decompressor(handle: handle, bytes: bytes, source: source)
        defer { tjDestroy(handle) }

        let (width, height, space) = try decompressor.header(precedingFailure: structure)
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= min(maximumPixels, PixelBuffer.maximumPixels) else {
            throw ImageError.tooManyPixels(
                source: source, width: width, height: height, maximumPixels: maximumPixels)
        }
        let isInked = space == TJCS_CMYK.rawValue || space == TJCS_YCCK.rawValue
        // More than one scan: the decoder keeps coefficients of two bytes, for up to four components.
        take(pixels, (isInked ? 4 : 3) + (structure.scans > 1 ? 8 : 0))
        var storage = try PixelStorage.make(count: pixels * (isInked ? 4 : 3)) {
            try decompressor.decode(width: width, height: height, format: isInked ? TJPF_CMYK : TJPF_RGB, into: $0)
            if isInked { convertInksToRGB($0, pixels: pixels) }
        }
        if isInked { storage.removeLast(pixels) }
        let orientation = structure.exif.flatMap {
            Orientation(exif: UnsafeRawBufferPointer(rebasing: bytes[$0]))
        }
        return (try PixelBuffer(width: width, height: height, format: .rgb8, bytes: storage), orientation)
    }

    /// What can be told from the markers alone.
    private static func check(_ structure: JPEGStructure, _ source: String) throws {
        guard structure.isComplete else { throw ImageError.truncated(source: source, format: format) }
        if let process = structure.process, ![0xC0, 0xC1, 0xC2, 0xC9, 0xCA].contains(process) {
            let name = [0xC3, 0xC7, 0xCB, 0xCF].contains(process) ? "lossless" : "hierarchical"
            throw ImageError.unsupportedEncoding(source: source, format: format, reason: name)
        }
        if let precision = structure.precision, precision != 8 {
            throw ImageError.unsupportedEncoding(
                source: source, format: format, reason: "\(precision) bits per channel")
        }
        guard structure.scans <= maximumScans else {
            throw ImageError.tooManyScans(source: source, scans: structure.scans, maximumScans: maximumScans)
        }
    }

    /// Cyan, magenta, yellow and black to red, green and blue, in place: four bytes become three.
    ///
    /// Files hold the inks inverted, as Adobe writes them, so the stored value is the light that an ink lets pass, and
    /// a channel is the product of its ink's light and black's. Pillow multiplies the ink and subtracts, which rounds
    /// differently from multiplying the light.
    private static func convertInksToRGB(_ bytes: UnsafeMutablePointer<UInt8>, pixels: Int) {
        for pixel in 0..<pixels {
            let light = bytes + 4 * pixel
            let black = UInt32(light[3])
            for channel in 0..<3 {
                let product = (255 - UInt32(light[channel])) * black + 128
                bytes[3 * pixel + channel] = UInt8(truncatingIfNeeded: black - (product + product >> 8) >> 8)
            }
        }
    }
}

/// One use of TurboJPEG.
private struct Decompressor {
    var handle: tjhandle
    var bytes: UnsafeRawBufferPointer
    var source: String

    private var start: UnsafePointer<UInt8> { bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) }
    private var message: String { String(cString: tjGetErrorStr2(handle)) }

    /// Size and colour space, `TJCS_…`.
    func header(precedingFailure structure: JPEGStructure) throws -> (width: Int, height: Int, colorSpace: UInt32) {
        var width: Int32 = 0
        var height: Int32 = 0
        var subsampling: Int32 = 0
        var colorSpace: Int32 = -1
        let result = tjDecompressHeader3(
            handle, start, UInt(bytes.count), &width, &height, &subsampling, &colorSpace)
        // Rare subsamplings have no name in TurboJPEG, which it reports as an error after it has found the rest;
        // decoding needs no name.
        let isUnnamed = result != 0 && subsampling < 0 && colorSpace >= 0
        guard result == 0 || isUnnamed || tjGetErrorCode(handle) == TJERR_WARNING.rawValue, width > 0, height > 0,
            colorSpace >= 0
        else {
            throw ImageError.damaged(source: source, format: JPEG.format, reason: message)
        }
        return (Int(width), Int(height), UInt32(colorSpace))
    }

    func decode(width: Int, height: Int, format: TJPF, into pixels: UnsafeMutablePointer<UInt8>) throws {
        // TurboJPEG calls it a warning when it has to make up a part of the image, and tells only of the first one.
        // Some warnings cost no pixels; after one of those the whole is decoded without minding any.
        if try !decode(width, height, format, pixels, TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING) {
            _ = try decode(width, height, format, pixels, TJFLAG_LIMITSCANS)
        }
    }

    /// - Returns: whether there was nothing to warn of.
    private func decode(
        _ width: Int, _ height: Int, _ format: TJPF, _ pixels: UnsafeMutablePointer<UInt8>, _ flags: Int32
    ) throws -> Bool {
        let result = tjDecompress2(
            handle, start, UInt(bytes.count), pixels, Int32(width), 0, Int32(height), Int32(format.rawValue), flags)
        if result == 0 { return true }
        let message = message
        let isHarmless =
            tjGetErrorCode(handle) == TJERR_WARNING.rawValue
            && Self.harmless.contains { message.firstRange(of: $0) != nil }
        guard isHarmless else {
            throw ImageError.damaged(source: source, format: JPEG.format, reason: message)
        }
        return false
    }

    /// Parts of the texts of warnings that cost no pixels: stray bytes between segments, which many cameras leave, and
    /// unknown versions of what surrounds the image.
    private static let harmless = ["extraneous bytes", "JFIF revision", "Adobe color transform"]
}
