/// One axis of a map that is padded to whole windows and shifted cyclically.
package struct WindowAxis: Sendable {
    /// Tokens of the map.
    package let length: Int
    /// Windows after padding.
    package let windows: Int
    private let padded: Int
    private let shift: Int

    package init(length: Int, window: Int, shift: Int) {
        self.length = length
        windows = (length + window - 1) / window
        padded = windows * window
        // A map of one window has nothing to exchange with.
        self.shift = padded <= window ? 0 : shift
    }

    /// Where the token at `index` of the shifted map comes from; `length` or more if it is padding.
    package func position(_ index: Int) -> Int {
        let source = index + shift
        return source < padded ? source : source - padded
    }

    /// Whether a window holds tokens of two regions that must not see each other.
    package func isDivided(_ window: Int) -> Bool { shift > 0 && window == windows - 1 }
}
