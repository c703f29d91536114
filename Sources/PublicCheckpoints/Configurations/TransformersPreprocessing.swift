import CETNetCheckpoint
import CETNetNetworks
import CETNetPreprocessing
import Foundation

/// What an image processor of Transformers does, from its `preprocessor_config.json`.
struct TransformersPreprocessing {
    /// Side of the square that the model sees.
    let imageSize: Int
    let configuration: PreprocessConfiguration

    /// A processor, with what it does unless its file says otherwise.
    private struct Processor {
        let name: String
        let resample: Int
        let mean: [Float]
        let standardDeviation: [Float]
        /// Whether a size that is one number is that of both sides, and not of the shorter one.
        let sizeIsSquare: Bool
        /// A side below 384 is enlarged by this and then cropped; from 384 on images are squashed. ConvNeXT's only.
        var cropFraction: Double?
    }

    private static let half: [Float] = [0.5, 0.5, 0.5]
    private static let imageNet = PreprocessConfiguration()
    private static let processors = [
        Processor(name: "ViT", resample: 2, mean: half, standardDeviation: half, sizeIsSquare: true),
        Processor(
            name: "ConvNext", resample: 3, mean: half, standardDeviation: half, sizeIsSquare: false,
            cropFraction: 224 / 256),
        Processor(
            name: "Pvt", resample: 3, mean: imageNet.mean, standardDeviation: imageNet.standardDeviation,
            sizeIsSquare: true),
        Processor(
            name: "Segformer", resample: 2, mean: imageNet.mean, standardDeviation: imageNet.standardDeviation,
            sizeIsSquare: true),
    ]

    /// Reads the file, or takes the model's own processor as it is where there is none.
    /// - Parameter own: the name of that.
    static func read(
        _ files: PublicConfiguration.Files, processor own: String, imageSize: Int
    ) throws(ConfigurationError) -> Self {
        var reader = try ConfigurationReader(
            files.preprocessor ?? .object([.init("size", .integer(imageSize))]), source: files.preprocessorSource,
            nullIsAbsent: true)
        let processor = try processor(&reader, own: own)

        try reader.require("do_resize", true)
        try reader.require("do_pad", false)
        let resize = try resize(&reader, processor)
        let (mean, standardDeviation) = try normalization(&reader, processor)
        return Self(
            imageSize: resize.imageSize,
            configuration: PreprocessConfiguration(
                interpolation: try interpolation(&reader, processor), cropFraction: resize.cropFraction,
                cropMode: resize.mode, cropRounding: .down, mean: mean, standardDeviation: standardDeviation))
    }

    /// The processor by the name of its class, of which there are several: `ViTImageProcessor`, formerly
    /// `ViTFeatureExtractor`, and with the ending `Fast` or `Pil`.
    private static func processor(
        _ reader: inout ConfigurationReader, own: String
    ) throws(ConfigurationError) -> Processor {
        for key in ["image_processor_type", "feature_extractor_type"] {
            guard let found = try reader.string(key) else { continue }
            let known = processors.first { processor in
                ["ImageProcessor", "FeatureExtractor"].contains { kind in
                    ["", "Fast", "Pil"].contains { processor.name + kind + $0 == found }
                }
            }
            guard let known else {
                throw reader.invalid(
                    key, "one of " + processors.map { "\"\($0.name)ImageProcessor\"" }.joined(separator: ", "),
                    .string(found))
            }
            return known
        }
        return processors.first { $0.name == own }!
    }

    // MARK: Sizes

    private struct Resize {
        var imageSize: Int
        var cropFraction: Double
        var mode: PreprocessConfiguration.CropMode
    }

    private enum Size {
        case square(Int)
        case shorterSide(Int)
    }

    private static func resize(
        _ reader: inout ConfigurationReader, _ processor: Processor
    ) throws(ConfigurationError) -> Resize {
        let size = try size("size", &reader, sizeIsSquare: processor.sizeIsSquare)
        let crops = try reader.flag("do_center_crop") ?? false
        if let fraction = processor.cropFraction {
            guard case .shorterSide(let side)? = size ?? .shorterSide(384) else {
                throw reader.invalid("size", "\"shortest_edge\"", reader.value("size")!)
            }
            guard !crops else { throw reader.invalid("do_center_crop", "false", .bool(true)) }
            guard side < 384 else { return Resize(imageSize: side, cropFraction: 1, mode: .squash) }
            return Resize(
                imageSize: side, cropFraction: try reader.number("crop_pct") ?? fraction, mode: .center)
        }
        let (side, mode): (Int, PreprocessConfiguration.CropMode) =
            switch size ?? .square(224) {
            case .square(let side): (side, .squash)
            case .shorterSide(let side): (side, .center)
            }
        guard crops else {
            guard mode == .squash else {
                throw reader.invalid(
                    "size", "\"height\" and \"width\", or a \"crop_size\" beside it", reader.value("size")!)
            }
            return Resize(imageSize: side, cropFraction: 1, mode: .squash)
        }
        guard case .square(let crop)? = try self.size("crop_size", &reader, sizeIsSquare: true) else {
            throw .missingKey(source: reader.source, key: "crop_size")
        }
        guard crop <= side else {
            throw reader.invalid("crop_size", "at most \(side), the \"size\"", .integer(crop))
        }
        return Resize(imageSize: crop, cropFraction: fraction(crop: crop, of: side), mode: mode)
    }

    /// The share of a side that a crop keeps, such that the crop divided by it, rounded down, is that side again.
    private static func fraction(crop: Int, of side: Int) -> Double {
        var fraction = Double(crop) / Double(side)
        while Int(Double(crop) / fraction) < side { fraction = fraction.nextDown }
        return fraction
    }

    /// One number, two equal ones by name, or the shorter side.
    private static func size(
        _ key: String, _ reader: inout ConfigurationReader, sizeIsSquare: Bool
    ) throws(ConfigurationError) -> Size? {
        guard let value = reader.value(key) else { return nil }
        let allowed = 1...(1 << 16)
        var result: Size?
        switch value {
        case .integer(let side) where allowed.contains(side):
            result = sizeIsSquare ? .square(side) : .shorterSide(side)
        case .object(let members):
            let sides = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) }).filter { $1 != .null }
            if sides.count == 2, case .integer(let height) = sides["height"], case .integer(let width) = sides["width"],
                height == width, allowed.contains(height)
            {
                result = .square(height)
            } else if sides.count == 1, case .integer(let side) = sides["shortest_edge"], allowed.contains(side) {
                result = .shorterSide(side)
            }
        default:
            break
        }
        guard let result else {
            let sides = value.description.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            throw .invalidValue(
                source: reader.source, key: key,
                expected: "a number, equal \"height\" and \"width\", or \"shortest_edge\"", found: sides)
        }
        return result
    }

    // MARK: Values

    private static func interpolation(
        _ reader: inout ConfigurationReader, _ processor: Processor
    ) throws(ConfigurationError) -> PreprocessConfiguration.Interpolation {
        // Pillow's numbers.
        let filters: [PreprocessConfiguration.Interpolation] = [
            .nearest, .lanczos, .bilinear, .bicubic, .box, .hamming,
        ]
        let number = try reader.integer("resample") ?? processor.resample
        guard filters.indices.contains(number) else {
            throw reader.invalid("resample", "a number from 0 to \(filters.count - 1)", .integer(number))
        }
        return filters[number]
    }

    /// The processor multiplies by a factor, then subtracts a mean and divides by a deviation; here the factor is
    /// always 1/255, so that another one goes into mean and deviation.
    private static func normalization(
        _ reader: inout ConfigurationReader, _ processor: Processor
    ) throws(ConfigurationError) -> (mean: [Float], standardDeviation: [Float]) {
        let rescales = try reader.flag("do_rescale") ?? true
        let factor = rescales ? try reader.number("rescale_factor") ?? 1 / 255 : 1
        guard factor > 0, factor.isFinite else {
            throw reader.invalid("rescale_factor", "a positive number", .number(factor))
        }
        let normalizes = try reader.flag("do_normalize") ?? true
        let mean = normalizes ? try reader.channels("image_mean") ?? processor.mean : [0, 0, 0]
        let deviation = normalizes ? try reader.channels("image_std") ?? processor.standardDeviation : [1, 1, 1]
        guard abs(255 * factor - 1) > 1e-12 else { return (mean, deviation) }
        return (mean.map { Float(Double($0) / (255 * factor)) }, deviation.map { Float(Double($0) / (255 * factor)) })
    }
}
