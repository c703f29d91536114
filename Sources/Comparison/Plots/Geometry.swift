/// A point of a plot in pixels, y downwards.
package struct PlotPoint: Sendable, Equatable {
    package var x: Double
    package var y: Double

    package init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

/// A rectangle of a plot in pixels.
package struct PlotRectangle: Sendable, Equatable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    package init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    package var right: Double { x + width }
    package var bottom: Double { y + height }

    package func intersects(_ other: PlotRectangle) -> Bool {
        x < other.right && other.x < right && y < other.bottom && other.y < bottom
    }

    package func contains(_ other: PlotRectangle) -> Bool {
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
