import CETNetGraph
import CETNetNetworks

/// The images that can be run, in one place.
///
/// The upper limits are far above what these models are used for. They keep every element count of a run within the
/// 32 bits that BLAS indexes rows with, and a mistaken size from asking for the machine's whole memory.
enum InputLimits {
    static let sides = Network.minimumImageSide...8192
    /// Pixels of one image: 4096×4096.
    static let pixels = 1 << 24
    /// Pixels of all images of one run of a session.
    static let pixelsPerRun = 1 << 26
    /// `Model` cuts larger batches into runs of about this many pixels, sixteen images of 224×224, so that one large
    /// batch does not keep the model's other users waiting to its end.
    private static let preferredPixelsPerRun = 16 * 224 * 224

    static let description =
        "\(sides.lowerBound) to \(sides.upperBound) pixels a side, at most \(pixels) pixels in all"

    static func check(_ size: ImageSize) throws(ModelError) {
        guard sides.contains(size.height), sides.contains(size.width), size.area <= pixels else {
            throw .imageSize(size, allowed: description)
        }
    }

    static func check(_ size: ImageSize, batch: Int) throws(ModelError) {
        try check(size)
        let largest = pixelsPerRun / size.area
        guard (1...largest).contains(batch) else {
            throw .option(name: "batch", allowed: "1 to \(largest) for images of \(size)", found: batch)
        }
    }

    /// How many images of a size `Model` runs at once: whole rounds of an image for each thread.
    static func imagesPerRun(_ size: ImageSize, threads: Int) -> Int {
        max(1, preferredPixelsPerRun / size.area / threads) * threads
    }
}
