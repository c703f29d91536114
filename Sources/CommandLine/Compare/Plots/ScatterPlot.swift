/// Named points over two axes.
struct ScatterPlot {
    var title: String
    var subtitle: String
    var horizontalTitle: String
    var verticalTitle: String
    var points: [Point]

    struct Point {
        var name: String
        var x: Double
        var y: Double
        /// What the measurements of `x` or `y` lie between; `nil` for none.
        var horizontalSpread: ClosedRange<Double>?
        var verticalSpread: ClosedRange<Double>?
        /// Drawn in the other colour.
        var isBest = false
        var tip: String
    }

    /// A stepped line through these values, from the left to the right.
    var front: [(x: Double, y: Double)] = []
    /// A straight line from the origin through this point.
    var guide: (x: Double, y: Double)?

    private static let width = 760.0
    private static let height = 470.0
    private static let area = PlotRectangle(x: 70, y: 64, width: 666, height: 346)

    func svg(isAlone: Bool) -> String {
        let area = Self.area
        var canvas = PlotCanvas(title: title, subtitle: subtitle, width: Self.width, height: Self.height)
        let horizontal = Self.axis(points.map { ($0.x, $0.horizontalSpread) })
        let vertical = Self.axis(points.map { ($0.y, $0.verticalSpread) })
        func place(_ x: Double, _ y: Double) -> PlotPoint {
            // The bar of a noisy model may end outside.
            PlotPoint(
                x: area.x + min(max(horizontal.position(x), 0), 1) * area.width,
                y: area.bottom - min(max(vertical.position(y), 0), 1) * area.height)
        }
        draw(horizontal, vertical, on: &canvas, place)
        let guide = guideLine(horizontal, vertical).map(place)
        if !guide.isEmpty { canvas.path(guide, "guide") }
        let front = frontLine(end: horizontal.range.upperBound, floor: vertical.range.lowerBound).map(place)
        let spreads = points.flatMap(Self.spreadLines).map { (place($0.x, $0.y), place($1.x, $1.y)) }
        // Wider than the front, so that they are seen beneath it.
        for (from, to) in spreads { canvas.line(from: from, to: to, "spread") }
        if !front.isEmpty { canvas.path(front, "front") }
        let lines = spreads + zip(guide, guide.dropFirst()) + zip(front, front.dropFirst())
        drawPoints(on: &canvas, lines: lines.flatMap(Self.cover), place)
        return canvas.svg(isAlone: isAlone)
    }

    /// A scale for the points, and for as much of their bars as does not squeeze them.
    private static func axis(_ values: [(value: Double, spread: ClosedRange<Double>?)]) -> Axis {
        let (low, high) = (values.map(\.value).min()!, values.map(\.value).max()!)
        let ends = values.flatMap { value, spread in
            [value] + (spread.map { [max($0.lowerBound, low * 0.8), min($0.upperBound, high * 1.25)] } ?? [])
        }
        return Axis(ends, mayBeLogarithmic: true)
    }

    private static func spreadLines(_ point: Point) -> [(PlotPoint, PlotPoint)] {
        var lines: [(PlotPoint, PlotPoint)] = []
        if let spread = point.horizontalSpread {
            lines.append((PlotPoint(x: spread.lowerBound, y: point.y), PlotPoint(x: spread.upperBound, y: point.y)))
        }
        if let spread = point.verticalSpread {
            lines.append((PlotPoint(x: point.x, y: spread.lowerBound), PlotPoint(x: point.x, y: spread.upperBound)))
        }
        return lines
    }

    private func draw(
        _ horizontal: Axis, _ vertical: Axis, on canvas: inout PlotCanvas, _ place: (Double, Double) -> PlotPoint
    ) {
        let area = Self.area
        for tick in horizontal.ticks {
            let x = place(tick, vertical.range.lowerBound).x
            canvas.line(from: PlotPoint(x: x, y: area.y), to: PlotPoint(x: x, y: area.bottom), "grid")
            canvas.text(horizontal.label(tick), x: x, y: area.bottom + 18, "tick", anchor: .middle)
        }
        for tick in vertical.ticks {
            let y = place(horizontal.range.lowerBound, tick).y
            canvas.line(from: PlotPoint(x: area.x, y: y), to: PlotPoint(x: area.right, y: y), "grid")
            canvas.text(vertical.label(tick), x: area.x - 8, y: y + 4, "tick", anchor: .end)
        }
        canvas.line(
            from: PlotPoint(x: area.x, y: area.bottom), to: PlotPoint(x: area.right, y: area.bottom), "axis")
        canvas.line(from: PlotPoint(x: area.x, y: area.y), to: PlotPoint(x: area.x, y: area.bottom), "axis")
        func title(_ text: String, _ axis: Axis) -> String { text + (axis.isLogarithmic ? ", logarithmic" : "") }
        canvas.text(
            title(horizontalTitle, horizontal), x: area.x + area.width / 2, y: Self.height - 18, "name", anchor: .middle
        )
        canvas.text(
            title(verticalTitle, vertical), x: 20, y: area.y + area.height / 2, "name", anchor: .middle,
            isVertical: true)
    }

    /// The line from the origin where it crosses the area, a curve where only one axis is logarithmic; nothing if it
    /// does not.
    private func guideLine(_ horizontal: Axis, _ vertical: Axis) -> [(Double, Double)] {
        guard let guide, guide.x > 0, guide.y > 0 else { return [] }
        let slope = guide.y / guide.x
        let low = max(horizontal.range.lowerBound, vertical.range.lowerBound / slope)
        let high = min(horizontal.range.upperBound, vertical.range.upperBound / slope)
        guard low < high else { return [] }
        let steps = horizontal.isLogarithmic == vertical.isLogarithmic ? 1 : 64
        return (0...steps).map { step in
            let x = low + Double(step) / Double(steps) * (high - low)
            return (x, x * slope)
        }
    }

    /// The corners of the steps.
    private func frontLine(end: Double, floor: Double) -> [(Double, Double)] {
        guard let first = front.first, let last = front.last else { return [] }
        let steps = zip(front, front.dropFirst()).flatMap { [($1.x, $0.y), ($1.x, $1.y)] }
        return [(first.x, floor), (first.x, first.y)] + steps + [(end, last.y)]
    }

    /// Small rectangles that cover a line.
    private static func cover(_ from: PlotPoint, _ to: PlotPoint) -> [PlotRectangle] {
        let count = max(1, Int(max(abs(to.x - from.x), abs(to.y - from.y)) / 4))
        return (0...count).map { index in
            let share = Double(index) / Double(count)
            let (x, y) = (from.x + share * (to.x - from.x), from.y + share * (to.y - from.y))
            return PlotRectangle(x: x - 2, y: y - 2, width: 4, height: 4)
        }
    }

    private func drawPoints(
        on canvas: inout PlotCanvas, lines: [PlotRectangle], _ place: (Double, Double) -> PlotPoint
    ) {
        let centres = points.map { place($0.x, $0.y) }
        let places = LabelPlacement.places(
            points: centres, sizes: points.map { (TextExtent.width($0.name, size: 12), 15) }, lines: lines,
            area: Self.area)
        for (centre, label) in zip(centres, places) where label.isFar {
            let rectangle = label.rectangle
            canvas.line(
                from: centre,
                to: PlotPoint(
                    x: min(max(centre.x, rectangle.x), rectangle.right),
                    y: min(max(centre.y, rectangle.y), rectangle.bottom)), "leader")
        }
        for (point, centre) in zip(points, centres) {
            canvas.circle(centre, radius: 5.5, point.isBest ? "point best" : "point", tip: point.tip)
        }
        for ((point, centre), label) in zip(zip(points, centres), places) {
            let rectangle = label.rectangle
            // The estimated width is an upper one, so text is set against the side that faces its point.
            let (x, anchor): (Double, PlotCanvas.Anchor) =
                rectangle.x >= centre.x
                ? (rectangle.x, .start)
                : rectangle.right <= centre.x
                    ? (rectangle.right, .end) : (rectangle.x + rectangle.width / 2, .middle)
            canvas.text(point.name, x: x, y: rectangle.y + 11.5, "label", anchor: anchor)
        }
    }
}
