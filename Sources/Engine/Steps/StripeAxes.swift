import CETNetGraph

/// How a map is cut into the stripes of one branch of cross-shaped attention.
package struct StripeAxes: Sendable {
    /// Stripes of the map.
    package let stripes: Int
    /// Tokens across a stripe, padding included.
    package let breadth: Int
    /// Tokens along a stripe.
    package let length: Int
    private let isVertical: Bool
    private let size: ImageSize

    package init(_ stripe: CrossShapedAttention.Stripe, map size: ImageSize) {
        self.size = size
        switch stripe {
        case .vertical(let width):
            isVertical = true
            breadth = width
            length = size.height
            stripes = (size.width + width - 1) / width
        case .horizontal(let width):
            isVertical = false
            breadth = width
            length = size.width
            stripes = (size.height + width - 1) / width
        case .map:
            isVertical = false
            breadth = size.height
            length = size.width
            stripes = 1
        }
    }

    /// Tokens of a stripe, padding included.
    package var tokens: Int { breadth * length }

    /// Index in the map of a stripe's token, `nil` for padding.
    package func position(stripe: Int, across: Int, along: Int) -> Int? {
        let narrow = stripe * breadth + across
        if isVertical { return narrow < size.width ? along * size.width + narrow : nil }
        return narrow < size.height ? narrow * size.width + along : nil
    }
}
