import CETNetGraph
import Foundation

/// Bars of the time that each part of each model takes.
struct PartPlot {
    var title: String
    var subtitle: String
    var bars: [Bar]

    struct Bar {
        var name: String
        /// Milliseconds, in the order of the architecture.
        var parts: [(part: Part, milliseconds: Double)]

        var sum: Double { parts.reduce(0) { $0 + $1.milliseconds } }
    }

    /// Where the sums differ by more, each bar is drawn to a hundred per cent: the shortest would not be seen.
    private static let largestRatio = 10.0

    private var isRelative: Bool {
        let sums = bars.map(\.sum).filter { $0 > 0 }
        return (sums.max() ?? 1) / (sums.min() ?? 1) > Self.largestRatio
    }

    private static let width = 760.0
    private static let barHeight = 24.0
    private static let barDistance = 36.0

    func svg(isAlone: Bool) -> String {
        let legend = legend()
        let top = 64.0 + legend.height
        let left = 30 + (bars.map { TextExtent.width($0.name, size: 12) }.max() ?? 0)
        let area = PlotRectangle(
            x: left, y: top, width: Self.width - left - 64, height: Double(bars.count) * Self.barDistance + 8)
        let axis = Axis(isRelative ? [100] : bars.map(\.sum), startsAtZero: true)
        var canvas = PlotCanvas(title: title, subtitle: subtitle, width: Self.width, height: area.bottom + 56)
        for item in legend.items {
            canvas.rectangle(
                PlotRectangle(x: item.x, y: item.y - 10, width: 12, height: 12), PlotStyle.className(item.part))
            canvas.text(item.part.rawValue, x: item.x + 17, y: item.y, "name")
        }
        for tick in axis.ticks {
            let x = area.x + axis.position(tick) * area.width
            canvas.line(from: PlotPoint(x: x, y: area.y), to: PlotPoint(x: x, y: area.bottom), "grid")
            canvas.text(axis.label(tick), x: x, y: area.bottom + 18, "tick", anchor: .middle)
        }
        canvas.text(
            isRelative ? "share of the model's time, %; behind: milliseconds per batch" : "milliseconds per batch",
            x: area.x + area.width / 2, y: area.bottom + 40, "name", anchor: .middle)
        for (index, bar) in bars.enumerated() {
            let y = area.y + Double(index) * Self.barDistance + (Self.barDistance - Self.barHeight) / 2 + 4
            draw(bar, at: y, area: area, axis: axis, on: &canvas)
        }
        canvas.line(from: PlotPoint(x: area.x, y: area.y), to: PlotPoint(x: area.x, y: area.bottom), "axis")
        return canvas.svg(isAlone: isAlone)
    }

    private func draw(_ bar: Bar, at y: Double, area: PlotRectangle, axis: Axis, on canvas: inout PlotCanvas) {
        canvas.text(bar.name, x: area.x - 10, y: y + 16, "name", anchor: .end)
        var before = 0.0
        for (part, milliseconds) in bar.parts {
            let share = bar.sum > 0 ? milliseconds / bar.sum * 100 : 0
            let value = isRelative ? share : milliseconds
            let x = area.x + axis.position(before) * area.width
            let width = axis.position(value) * area.width
            before += value
            let label = String(format: "%.1f", value)
            // A pixel of ground between two parts.
            canvas.rectangle(
                PlotRectangle(x: x, y: y, width: max(0.5, width - 1), height: Self.barHeight),
                PlotStyle.className(part),
                tip: "\(bar.name), \(part.rawValue): " + String(format: "%.2f ms, %.1f %%", milliseconds, share))
            if TextExtent.width(label, size: 12) + 6 <= width {
                canvas.text(label, x: x + (width - 1) / 2, y: y + 16, "on-part", anchor: .middle)
            }
        }
        canvas.text(
            String(format: isRelative && bar.sum < 10 ? "%.2f" : "%.1f", bar.sum),
            x: area.x + axis.position(before) * area.width + 6, y: y + 16, "name")
    }

    /// Where the parts' names lie: in rows from the left.
    private func legend() -> (items: [(part: Part, x: Double, y: Double)], height: Double) {
        var items: [(part: Part, x: Double, y: Double)] = []
        var (x, y) = (16.0, 68.0)
        for part in Part.allCases where bars.contains(where: { $0.parts.contains { $0.part == part } }) {
            let width = 17 + TextExtent.usualWidth(part.rawValue, size: 12) + 18
            if x + width > Self.width - 16, x > 16 { (x, y) = (16, y + 20) }
            items.append((part, x, y))
            x += width
        }
        return (items, y - 68 + 24)
    }
}
