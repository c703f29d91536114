import Foundation

/// A linear scale with round numbers.
struct Axis: Sendable {
    /// From the first tick to the last.
    let range: ClosedRange<Double>
    let ticks: [Double]
    /// Digits behind the point that tell the ticks apart.
    let digits: Int

    /// A scale on which all values have room.
    /// - Parameters:
    ///   - values: at least one, all finite.
    ///   - startsAtZero: whether lengths from the axis' start mean something, as those of bars do.
    init(_ values: [Double], startsAtZero: Bool = false, tickCount: Int = 6) {
        precondition(!values.isEmpty && values.allSatisfy(\.isFinite), "an axis for \(values)")
        var (low, high) = (values.min()!, values.max()!)
        if startsAtZero { low = min(0, low) }
        if high <= low { (low, high) = startsAtZero ? (low, low + 1) : (low - 0.5, high + 0.5) }
        if !startsAtZero {
            let margin = 0.08 * (high - low)
            (low, high) = (low - margin, high + margin)
        }
        let rough = (high - low) / Double(tickCount)
        let magnitude = pow(10, floor(log10(rough)))
        let step = [1, 2, 2.5, 5, 10].map { $0 * magnitude }.first { $0 >= rough * (1 - 1e-9) }!
        let first = Int((low / step + 1e-9).rounded(.down))
        let last = Int((high / step - 1e-9).rounded(.up))
        ticks = (first...last).map { Double($0) * step }
        range = ticks[0]...ticks[ticks.count - 1]
        let quarters = abs(step / magnitude - 2.5) < 1e-9
        digits = max(0, -Int(floor(log10(step) + 1e-9)) + (quarters ? 1 : 0))
    }

    /// 0 at the start of the range, 1 at its end.
    func position(_ value: Double) -> Double {
        (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    func label(_ tick: Double) -> String { String(format: "%.\(digits)f", tick == 0 ? 0 : tick) }
}
