import CETNet
import CETNetPreprocessing
import Foundation

extension SegmentationMap {
    /// A PNG file of the map's size whose values are the labels' indices: with a colour for each of up to 256 labels, else
    /// 16 bits of grey.
    /// - Parameter palette: by default colours that depend on the index alone.
    /// - Throws: ``ImageError/unwritable(format:reason:)``: more than 65536 labels.
    public func png(palette: Palette? = nil) throws -> Data {
        guard labels.count <= 256 else {
            guard labels.count <= 1 << 16 else {
                throw ImageError.unwritable(format: PNG.format, reason: "\(labels.count) labels do not fit in 16 bits")
            }
            return try PNGWriter.data(values: indices.map { UInt16($0) }, width: width, height: height)
        }
        let palette = palette ?? Palette(labels: labels.count)
        return try PNGWriter.data(
            indices: indices.map { UInt8($0) }, width: width, height: height,
            colors: labels.indices.map { palette[label: $0] })
    }

    /// The picture with each label's colour over it, and a legend beside it: the labels of most pixels, as many as fit,
    /// with their shares.
    /// - Parameters:
    ///   - image: what was segmented, of the map's size.
    ///   - palette: by default colours that depend on the index alone.
    ///   - opacity: of the colours, 0...1.
    /// - Throws: `PreprocessingError` for an image of another size.
    public func overlay(on image: PixelBuffer, palette: Palette? = nil, opacity: Double = 0.55) throws -> PixelBuffer {
        guard image.width == width, image.height == height else {
            throw PreprocessingError.invalidSetting(
                name: "the image under the overlay", expected: "\(width)x\(height) pixels",
                found: "\(image.width)x\(image.height)")
        }
        let palette = palette ?? Palette(labels: labels.count)
        // Letters grow with the picture, so that they stay legible where it is shown smaller.
        let dot = max(1, max(width, height) / 500)
        let line = Lettering.height * dot * 2
        let shown = shares.prefix(max(1, (height - line / 2) / line))
        let texts = shown.map { "\($0.label.prefix(18)) \(percent($0.share * 100))" }
        let legend = (texts.map(\.count).max() ?? 0) * Lettering.advance * dot + line * 2
        var canvas = Canvas(width: width + legend, height: max(height, line * 2))
        let offsets = image.format.channelOffsets
        for y in 0..<height {
            for x in 0..<width {
                let start = y * image.bytesPerRow + x * image.format.bytesPerPixel
                let color = palette[label: self[x: x, y: y]]
                func blended(_ offset: Int, _ over: UInt8) -> UInt8 {
                    UInt8(Double(image.bytes[start + offset]) * (1 - opacity) + Double(over) * opacity)
                }
                canvas[x, y] = SIMD3(
                    blended(offsets.red, color.x), blended(offsets.green, color.y), blended(offsets.blue, color.z))
            }
        }
        for (index, (share, text)) in zip(shown, texts).enumerated() {
            let (left, top) = (width + line / 2, line / 2 + index * line)
            canvas.fill(left, top, line / 2 + dot, line / 2, palette[label: share.index])
            Lettering.draw(text) { column, row in
                canvas.fill(left + line + column * dot, top + row * dot, dot, dot, SIMD3(20, 20, 20))
            }
        }
        return try PixelBuffer(width: canvas.width, height: canvas.height, format: .rgb8, bytes: canvas.bytes)
    }
}

extension PixelBuffer {
    /// A PNG file of the pixels.
    /// - Throws: ``ImageError/unwritable(format:reason:)``.
    public func png() throws -> Data {
        guard format != .rgb8 && format != .gray8 else { return try PNGWriter.data(self) }
        let offsets = format.channelOffsets
        var canvas = Canvas(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let start = y * bytesPerRow + x * format.bytesPerPixel
                canvas[x, y] = SIMD3(
                    bytes[start + offsets.red], bytes[start + offsets.green], bytes[start + offsets.blue])
            }
        }
        return try PNGWriter.data(PixelBuffer(width: width, height: height, format: .rgb8, bytes: canvas.bytes))
    }
}

/// White paper, red, green and blue in turn.
private struct Canvas {
    let width: Int
    let height: Int
    private(set) var bytes: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        bytes = [UInt8](repeating: 255, count: 3 * width * height)
    }

    subscript(x: Int, y: Int) -> SIMD3<UInt8> {
        get { SIMD3(bytes[3 * (y * width + x)], bytes[3 * (y * width + x) + 1], bytes[3 * (y * width + x) + 2]) }
        set {
            let start = 3 * (y * width + x)
            (bytes[start], bytes[start + 1], bytes[start + 2]) = (newValue.x, newValue.y, newValue.z)
        }
    }

    /// A rectangle, as much of it as lies on the paper.
    mutating func fill(_ left: Int, _ top: Int, _ columns: Int, _ rows: Int, _ color: SIMD3<UInt8>) {
        for y in top..<min(height, top + rows) {
            for x in left..<min(width, left + columns) { self[x, y] = color }
        }
    }
}
