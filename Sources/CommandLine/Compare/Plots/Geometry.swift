/// A point of a plot in pixels, y downwards.
struct PlotPoint: Sendable, Equatable {
    var x: Double
    var y: Double
}

/// A rectangle of a plot in pixels.
struct PlotRectangle: Sendable, Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    var right: Double { x + width }
    var bottom: Double { y + height }

    func intersects(_ other: PlotRectangle) -> Bool {
        x < other.right && other.x < right && y < other.bottom && other.y < bottom
    }

    func contains(_ other: PlotRectangle) -> Bool {
        other.x >= x && other.right <= right && other.y >= y && other.bottom <= bottom
    }
}

/// How wide text is, for placing it without a font at hand.
enum TextExtent {
    /// An upper estimate for a sans-serif font: the widest usual ones take 0.62 of their size for a character.
    static func width(_ text: String, size: Double) -> Double { 0.62 * size * Double(text.count) }

    /// What text takes on average, for where a little too little does no harm.
    static func usualWidth(_ text: String, size: Double) -> Double { 0.54 * size * Double(text.count) }
}
