/// How an image becomes what a network sees: resized, cropped at the centre, normalised.
///
/// The values of the initialiser are those of the paper's ImageNet models.
public struct PreprocessConfiguration: Sendable, Equatable {
    /// The filter that images are resized with.
    public enum Interpolation: String, Sendable, Hashable, CaseIterable {
        case nearest, box, bilinear, hamming, bicubic, lanczos
    }

    /// Key `interpolation`.
    public var interpolation: Interpolation
    /// The part of the resized image's shorter side that the crop keeps. Key `crop_pct`.
    public var cropFraction: Double
    /// Per channel (red, green, blue), in units of the channel's full range. Key `mean`.
    public var mean: [Float]
    /// Per channel (red, green, blue), in units of the channel's full range. Key `std`.
    public var standardDeviation: [Float]

    public init(
        interpolation: Interpolation = .bicubic, cropFraction: Double = 0.9,
        mean: [Float] = [0.485, 0.456, 0.406], standardDeviation: [Float] = [0.229, 0.224, 0.225]
    ) {
        self.interpolation = interpolation
        self.cropFraction = cropFraction
        self.mean = mean
        self.standardDeviation = standardDeviation
    }
}
