/// Where one axis of an image goes: it is resized, then cropped at the centre or, when it is too small for the crop,
/// surrounded by zeros. The rules are torchvision's (`Resize` with one number, or with two equal ones to squash, then
/// `CenterCrop`).
struct CropGeometry: Equatable {
    /// Size of the axis before and after resizing.
    var sourceSize: Int
    var resizedSize: Int
    /// The resized pixels that the crop keeps, never empty.
    var kept: Range<Int>
    /// Where the first of them is in the crop; not 0 only if the resized axis is smaller than the crop.
    var padding: Int

    /// - Parameters:
    ///   - side: what the shorter side of the image becomes. The longer one becomes floor(side × longer / shorter) or,
    ///     where the image is squashed, the same.
    ///   - crop: side of the result.
    /// - Throws: `PreprocessingError.tooElongated`.
    static func axes(
        width: Int, height: Int, side: Int, crop: Int, mode: PreprocessConfiguration.CropMode,
        rounding: PreprocessConfiguration.CropRounding
    ) throws(PreprocessingError) -> (horizontal: CropGeometry, vertical: CropGeometry) {
        func axis(_ sourceSize: Int, _ resizedSize: Int) -> CropGeometry {
            CropGeometry(sourceSize: sourceSize, resizedSize: resizedSize, crop: crop, rounding: rounding)
        }
        guard mode == .center else { return (axis(width, side), axis(height, side)) }
        let (product, overflow) = side.multipliedReportingOverflow(by: max(width, height))
        let long = product / min(width, height)
        guard !overflow, long <= maximumSide else {
            throw .tooElongated(
                width: width, height: height, resizedSide: overflow ? .max : long, maximumSide: maximumSide)
        }
        return (axis(width, width <= height ? side : long), axis(height, width <= height ? long : side))
    }

    /// Whether columns are resampled before rows. Each pass rounds to 8 bits, so the order shows: Pillow resamples
    /// rows first, but since version 13 columns first when the height shrinks by more than twice as many pixels as
    /// the width.
    static func isVerticalFirst(_ horizontal: CropGeometry, _ vertical: CropGeometry) -> Bool {
        let lostRows = vertical.sourceSize - vertical.resizedSize
        return lostRows > 0 && lostRows > 2 * (horizontal.sourceSize - horizontal.resizedSize)
    }

    /// Pillow's sizes are C integers.
    static let maximumSide = Int(Int32.max)

    private init(sourceSize: Int, resizedSize: Int, crop: Int, rounding: PreprocessConfiguration.CropRounding) {
        self.sourceSize = sourceSize
        self.resizedSize = resizedSize
        if resizedSize < crop {
            padding = (crop - resizedSize) / 2
            kept = 0..<resizedSize
        } else {
            padding = 0
            // The even neighbour of a half is where Python's round goes.
            let rule: FloatingPointRoundingRule = rounding == .even ? .toNearestOrEven : .down
            let start = Int((Double(resizedSize - crop) / 2).rounded(rule))
            kept = start..<start + crop
        }
    }
}
