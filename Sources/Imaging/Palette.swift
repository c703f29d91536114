import Foundation

/// A colour for each label of a segmentation model.
public struct Palette: Sendable, Hashable {
    /// Red, green and blue of each label, by its index.
    public let colors: [SIMD3<UInt8>]

    /// A palette of the given colours, which are taken in turn where labels are more.
    public init(colors: [SIMD3<UInt8>]) {
        precondition(!colors.isEmpty, "a palette has colours")
        self.colors = colors
    }

    /// Colours for any number of labels, the same for the same index always.
    ///
    /// Hues are the golden angle apart, so that neighbouring indices are far from each other; saturation and brightness
    /// change in turn, so that colours of close hues differ in these.
    public init(labels count: Int) {
        let shades: [(saturation: Double, brightness: Double)] = [(0.85, 0.95), (0.6, 0.7), (0.45, 1), (1, 0.6)]
        colors = (0..<max(1, count)).map { index in
            let hue = (Double(index) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
            let shade = shades[index % shades.count]
            // From hue, saturation and brightness: each channel is a trapezium over the hue's circle.
            func channel(_ offset: Double) -> UInt8 {
                let place = (hue * 6 + offset).truncatingRemainder(dividingBy: 6)
                let amount = max(0, min(1, min(place, 4 - place)))
                return UInt8((255 * shade.brightness * (1 - shade.saturation * amount)).rounded())
            }
            return SIMD3(channel(5), channel(3), channel(1))
        }
    }

    /// The colour of a label.
    public subscript(label index: Int) -> SIMD3<UInt8> { colors[index % colors.count] }
}
