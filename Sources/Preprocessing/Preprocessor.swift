package import CETNetKernels
internal import CETNetMemory

/// Turns images into what a network sees: resized, cropped at the centre, and normalised.
///
/// 1. The shorter side becomes floor(`imageSize` / `cropFraction`), the other keeps the proportion, rounded down; as
///    torchvision's `Resize` does on a Pillow image, with Pillow's antialiased filters and 8-bit results. In
///    ``PreprocessConfiguration/CropMode/squash`` both sides become that long.
/// 2. The central `imageSize` × `imageSize` pixels are kept, as by torchvision's `CenterCrop`, or as by Transformers'
///    (see ``PreprocessConfiguration/CropRounding``). With a `cropFraction` above 1 the image is smaller than that and
///    gets a black border.
/// 3. Each channel becomes (value / 255 − mean) / standard deviation, in Float.
///
/// The result equals that of torchvision with Pillow to the last bit. A preprocessor is a value without mutable state:
/// share it among any number of tasks.
public struct Preprocessor: Sendable {
    /// The largest `imageSize` there is.
    public static let maximumImageSize = 8192
    /// The largest ``resizedSide`` there is.
    public static let maximumResizedSide = 1 << 20

    /// How images are prepared.
    public let configuration: PreprocessConfiguration
    /// Side of the square that the network sees, in pixels.
    public let imageSize: Int
    /// What the shorter side of an image is resized to: floor(`imageSize` / `cropFraction`).
    public let resizedSide: Int

    /// The normalised values of the bytes 0…255, for each channel.
    private let normalized: [Float]

    /// Resizes and normalises.
    private let resampler: Resampler

    /// Checks the settings.
    /// - Parameters:
    ///   - configuration: The crop's fraction must be positive, and such that ``resizedSide`` is
    ///     1…``maximumResizedSide``; mean and standard deviation are three finite values each, no deviation zero.
    ///   - imageSize: Side of the square result, 1…``maximumImageSize``.
    /// - Throws: ``PreprocessingError/invalidSetting(name:expected:found:)``; `KernelTierError` if the environment asks
    ///   for instructions that the processor lacks.
    public init(_ configuration: PreprocessConfiguration, imageSize: Int) throws {
        try self.init(configuration, imageSize: imageSize, kernels: KernelSet.selected())
    }

    /// The same on a tier of kernels; all give the same pixels.
    package init(
        _ configuration: PreprocessConfiguration, imageSize: Int, kernels: KernelSet
    ) throws(PreprocessingError) {
        func check(_ valid: Bool, _ name: String, _ expected: String, _ found: some Any) throws(PreprocessingError) {
            guard valid else { throw .invalidSetting(name: name, expected: expected, found: "\(found)") }
        }
        let (fraction, mean) = (configuration.cropFraction, configuration.mean)
        let deviation = configuration.standardDeviation
        let sizes = 1...Self.maximumImageSize
        try check(sizes.contains(imageSize), "imageSize", "\(sizes)", imageSize)
        try check(fraction > 0 && fraction.isFinite, "cropFraction", "positive", fraction)
        let side = (Double(imageSize) / fraction).rounded(.down)
        try check(
            side >= 1 && side <= Double(Self.maximumResizedSide), "cropFraction",
            "such that imageSize / cropFraction is 1...\(Self.maximumResizedSide)", fraction)
        try check(mean.count == 3 && mean.allSatisfy(\.isFinite), "mean", "three finite values", mean)
        try check(
            deviation.count == 3 && deviation.allSatisfy { $0.isFinite && $0 != 0 }, "standardDeviation",
            "three finite values other than 0", deviation)
        resampler = Resampler(kernels: kernels)
        self.configuration = configuration
        self.imageSize = imageSize
        resizedSide = Int(side)
        normalized = zip(mean, deviation).flatMap { mean, deviation in
            (0...255).map { (Float($0) / 255 - mean) / deviation }
        }
    }

    /// The image as the network sees it.
    ///
    /// - Returns: 3 × `imageSize` × `imageSize` values, the red plane first, then green and blue; each row by row.
    /// - Throws: ``PreprocessingError/tooElongated(width:height:resizedSide:maximumSide:)``,
    ///   ``PreprocessingError/outOfMemory(bytes:)``.
    public func callAsFunction(_ image: PixelBuffer) throws(PreprocessingError) -> [Float] {
        let bytes = try croppedBytes(of: image)
        return [Float](unsafeUninitializedCapacity: 3 * imageSize * imageSize) { values, count in
            normalize(bytes, of: image.format, into: values)
            count = values.count
        }
    }

    /// The image as the network sees it, written to memory of the caller's.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - values: Room for exactly 3 × `imageSize` × `imageSize` values, in the order of ``callAsFunction(_:)``.
    /// - Throws: ``PreprocessingError/tooElongated(width:height:resizedSide:maximumSide:)``,
    ///   ``PreprocessingError/outOfMemory(bytes:)``.
    public func process(
        _ image: PixelBuffer, into values: UnsafeMutableBufferPointer<Float>
    ) throws(PreprocessingError) {
        let plane = imageSize * imageSize
        precondition(values.count == 3 * plane, "expected room for \(3 * plane) values, found \(values.count)")
        normalize(try croppedBytes(of: image), of: image.format, into: values)
    }

    /// A part of an image, neither resized nor cropped, normalised.
    /// - Returns: 3 × rows × columns values, the red plane first, then green and blue; each row by row.
    package func normalized(_ image: PixelBuffer, rows: Range<Int>, columns: Range<Int>) -> [Float] {
        let offsets = image.format.channelOffsets
        var values: [Float] = []
        values.reserveCapacity(3 * rows.count * columns.count)
        for (channel, offset) in [offsets.red, offsets.green, offsets.blue].enumerated() {
            for row in rows {
                let start = row * image.bytesPerRow + offset
                values += columns.map { column in
                    normalized[256 * channel + Int(image.bytes[start + column * image.format.bytesPerPixel])]
                }
            }
        }
        return values
    }

    private func normalize(_ bytes: [UInt8], of format: PixelFormat, into values: UnsafeMutableBufferPointer<Float>) {
        resampler.planes(of: bytes, channels: format.colorChannels, tables: normalized, into: values.baseAddress!)
    }

    /// The resized and cropped image before it is normalised, for looking at.
    ///
    /// - Returns: `imageSize` × `imageSize` pixels, grey for a grey image and otherwise `rgb8`.
    /// - Throws: ``PreprocessingError/tooElongated(width:height:resizedSide:maximumSide:)``,
    ///   ``PreprocessingError/outOfMemory(bytes:)``.
    public func crop(_ image: PixelBuffer) throws(PreprocessingError) -> PixelBuffer {
        let format: PixelFormat = image.format == .gray8 ? .gray8 : .rgb8
        return try PixelBuffer(
            width: imageSize, height: imageSize, format: format, bytes: croppedBytes(of: image))
    }

    /// `imageSize` × `imageSize` pixels, of 1 channel for grey and otherwise of 3.
    private func croppedBytes(of image: PixelBuffer) throws(PreprocessingError) -> [UInt8] {
        let (horizontal, vertical) = try CropGeometry.axes(
            width: image.width, height: image.height, side: resizedSide, crop: imageSize, mode: configuration.cropMode,
            rounding: configuration.cropRounding)
        let columns = ResampleTable(
            configuration.interpolation, from: horizontal.sourceSize, to: horizontal.resizedSize,
            range: horizontal.kept)
        let rows = ResampleTable(
            configuration.interpolation, from: vertical.sourceSize, to: vertical.resizedSize, range: vertical.kept)

        let channels = image.format.colorChannels
        let byteCount = imageSize * imageSize * channels
        do throws(OutOfMemoryError) {
            try Memory.require(byteCount, of: UInt8.self)
            // What the first pass leaves for the second.
            try Memory.require(
                max(rows.sourceRange.count * imageSize, imageSize * columns.sourceRange.count)
                    * image.format.bytesPerPixel, of: UInt8.self)
        } catch {
            throw .outOfMemory(bytes: error.bytes)
        }
        let isPadded = horizontal.kept.count < imageSize || vertical.kept.count < imageSize
        return [UInt8](unsafeUninitializedCapacity: byteCount) { result, count in
            count = byteCount
            if isPadded { result.initialize(repeating: 0) }
            let output = Resampler.Rows(
                start: result.baseAddress! + (vertical.padding * imageSize + horizontal.padding) * channels,
                stride: imageSize * channels)
            image.bytes.withUnsafeBufferPointer { bytes in
                // Only what the crop depends on is touched.
                let input = Resampler.Rows(
                    start: bytes.baseAddress! + rows.sourceRange.lowerBound * image.bytesPerRow
                        + columns.sourceRange.lowerBound * image.format.bytesPerPixel,
                    stride: image.bytesPerRow)
                let resample =
                    CropGeometry.isVerticalFirst(horizontal, vertical) ? resampleColumnsFirst : resampleRowsFirst
                resample(input, image.format, columns.fromZero(), rows.fromZero(), output)
            }
        }
    }

    private func resampleRowsFirst(
        _ input: Resampler.Rows<UnsafePointer<UInt8>>, _ format: PixelFormat, _ columns: ResampleTable,
        _ rows: ResampleTable, _ output: Resampler.Rows<UnsafeMutablePointer<UInt8>>
    ) {
        let rowBytes = columns.outputs * format.colorChannels
        let rowCount = rows.sourceRange.count
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rowCount * rowBytes) { narrowed in
            resampler.resampleRows(
                input, count: rowCount, format: format, by: columns,
                into: Resampler.Rows(start: narrowed.baseAddress!, stride: rowBytes))
            resampler.resampleColumns(
                Resampler.Rows(start: UnsafePointer(narrowed.baseAddress!), stride: rowBytes), rowBytes: rowBytes,
                by: rows, into: output)
        }
    }

    private func resampleColumnsFirst(
        _ input: Resampler.Rows<UnsafePointer<UInt8>>, _ format: PixelFormat, _ columns: ResampleTable,
        _ rows: ResampleTable, _ output: Resampler.Rows<UnsafeMutablePointer<UInt8>>
    ) {
        let rowBytes = columns.sourceRange.count * format.bytesPerPixel
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rows.outputs * rowBytes) { flattened in
            resampler.resampleColumns(
                input, rowBytes: rowBytes, by: rows,
                into: Resampler.Rows(start: flattened.baseAddress!, stride: rowBytes))
            resampler.resampleRows(
                Resampler.Rows(start: UnsafePointer(flattened.baseAddress!), stride: rowBytes), count: rows.outputs,
                format: format, by: columns, into: output)
        }
    }
}
