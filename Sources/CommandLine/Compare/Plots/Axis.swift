import Foundation

/// A scale with round numbers, linear or logarithmic.
struct Axis: Sendable {
    /// From the first tick to the last.
    let range: ClosedRange<Double>
    let ticks: [Double]
    /// Digits behind the point that tell the ticks apart.
    let digits: Int
    /// Whether equal ratios take equal lengths.
    let isLogarithmic: Bool

    /// Values that differ by so much have no room on a linear scale: the least would lie in one point.
    private static let logarithmicRatio = 10.0

    /// A scale on which all values have room.
    /// - Parameters:
    ///   - values: at least one, all finite.
    ///   - startsAtZero: whether lengths from the axis' start mean something, as those of bars do.
    ///   - mayBeLogarithmic: whether to become logarithmic where the values differ a lot and are all above zero.
    init(_ values: [Double], startsAtZero: Bool = false, mayBeLogarithmic: Bool = false, tickCount: Int = 6) {
        precondition(!values.isEmpty && values.allSatisfy(\.isFinite), "an axis for \(values)")
        var (low, high) = (values.min()!, values.max()!)
        isLogarithmic = mayBeLogarithmic && low > 0 && high / low > Self.logarithmicRatio
        if isLogarithmic {
            let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
            let steps: [Double] = decades.count > 4 ? [1] : [1, 2, 5]
            let all = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
            // From the last one below all values to the first one above.
            let first = all.lastIndex { $0 <= low * (1 - 1e-9) } ?? 0
            let last = all.firstIndex { $0 >= high * (1 + 1e-9) } ?? all.count - 1
            ticks = Array(all[first...last])
            range = all[first]...all[last]
            digits = 0
            return
        }
        // What has no values below zero gets no axis below it.
        let floor = low >= 0 ? 0 : -Double.infinity
        if startsAtZero { low = min(0, low) }
        if high <= low { (low, high) = startsAtZero ? (low, low + 1) : (low - 0.5, high + 0.5) }
        if !startsAtZero {
            let margin = 0.08 * (high - low)
            (low, high) = (max(floor, low - margin), high + margin)
        }
        let rough = (high - low) / Double(tickCount)
        let magnitude = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * magnitude }.first { $0 >= rough * (1 - 1e-9) }!
        let first = Int((low / step + 1e-9).rounded(.down))
        let last = Int((high / step - 1e-9).rounded(.up))
        ticks = (first...last).map { Double($0) * step }
        range = ticks[0]...ticks[ticks.count - 1]
        let quarters = abs(step / magnitude - 2.5) < 1e-9
        digits = max(0, -Int((log10(step) + 1e-9).rounded(.down)) + (quarters ? 1 : 0))
    }

    /// 0 at the start of the range, 1 at its end.
    func position(_ value: Double) -> Double {
        if isLogarithmic { return log(value / range.lowerBound) / log(range.upperBound / range.lowerBound) }
        return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    func label(_ tick: Double) -> String {
        isLogarithmic ? String(format: "%g", tick) : String(format: "%.\(digits)f", tick == 0 ? 0 : tick)
    }
}
