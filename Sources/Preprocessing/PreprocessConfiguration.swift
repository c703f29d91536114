/// How an image becomes what a network sees: resized, cropped at the centre, normalised.
///
/// The values of the initialiser are those of the paper's ImageNet models.
public struct PreprocessConfiguration: Sendable, Hashable {
    /// The filter that resizing samples an image with. All are Pillow's: when an image shrinks, all but `nearest`
    /// widen by the same factor, so that every source pixel counts.
    public enum Interpolation: String, Sendable, Hashable, CaseIterable {
        case nearest, box, bilinear, hamming, bicubic, lanczos
    }

    /// What the resized image keeps of the proportions of the original, in timm's terms.
    public enum CropMode: String, Sendable, Hashable, CaseIterable {
        /// The shorter side gets the size, the other follows in proportion; the crop loses what sticks out.
        case center
        /// Both sides get the size.
        case squash
    }

    /// Where a crop begins whose margins cannot be equal.
    public enum CropRounding: String, Sendable, Hashable, CaseIterable {
        /// Half of the margins, halves to the even neighbour; torchvision's and timm's rule.
        case even
        /// Half of the margins, rounded down; Transformers' rule.
        case down
    }

    /// Key `interpolation`.
    public var interpolation: Interpolation
    /// The part of the resized image's shorter side that the crop keeps. Key `crop_pct`.
    public var cropFraction: Double
    /// Key `crop_mode`.
    public var cropMode: CropMode
    /// Key `crop_rounding`.
    public var cropRounding: CropRounding
    /// Per channel (red, green, blue), in units of the channel's full range. Key `mean`.
    public var mean: [Float]
    /// Per channel (red, green, blue), in units of the channel's full range. Key `std`.
    public var standardDeviation: [Float]

    public init(
        interpolation: Interpolation = .bicubic, cropFraction: Double = 0.9, cropMode: CropMode = .center,
        cropRounding: CropRounding = .even,
        mean: [Float] = [0.485, 0.456, 0.406], standardDeviation: [Float] = [0.229, 0.224, 0.225]
    ) {
        self.interpolation = interpolation
        self.cropFraction = cropFraction
        self.cropMode = cropMode
        self.cropRounding = cropRounding
        self.mean = mean
        self.standardDeviation = standardDeviation
    }
}
