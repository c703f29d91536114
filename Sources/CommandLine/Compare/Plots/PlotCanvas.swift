import Foundation

/// Collects the elements of an SVG.
struct PlotCanvas {
    private let title: String
    private let width: Double
    private let height: Double
    private var elements: [String] = []

    /// - Parameter title: what someone is told who cannot see the plot; also drawn at the top.
    init(title: String, subtitle: String, width: Double, height: Double) {
        self.title = title
        self.width = width
        self.height = height
        rectangle(PlotRectangle(x: 0, y: 0, width: width, height: height), "ground")
        text(title, x: 16, y: 24, "title")
        text(subtitle, x: 16, y: 43, "subtitle")
    }

    enum Anchor: String {
        case start, middle, end
    }

    mutating func text(
        _ text: String, x: Double, y: Double, _ style: String, anchor: Anchor = .start, isVertical: Bool = false
    ) {
        let turn = isVertical ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        elements.append(
            """
            <text \(PlotStyle.attributes(style)) x="\(Self.number(x))" y="\(Self.number(y))" text-anchor="\(anchor)"\(turn)>\
            \(Markup.escaped(text))</text>
            """)
    }

    mutating func line(from: PlotPoint, to: PlotPoint, _ style: String) {
        elements.append(
            """
            <line \(PlotStyle.attributes(style)) x1="\(Self.number(from.x))" y1="\(Self.number(from.y))" \
            x2="\(Self.number(to.x))" y2="\(Self.number(to.y))"/>
            """)
    }

    mutating func path(_ points: [PlotPoint], _ style: String) {
        let list = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        elements.append("<polyline \(PlotStyle.attributes(style)) points=\"\(list)\"/>")
    }

    /// - Parameter tip: what a pointer resting on it shows.
    mutating func circle(_ centre: PlotPoint, radius: Double, _ style: String, tip: String) {
        elements.append(
            """
            <circle \(PlotStyle.attributes(style)) cx="\(Self.number(centre.x))" cy="\(Self.number(centre.y))" \
            r="\(Self.number(radius))"><title>\(Markup.escaped(tip))</title></circle>
            """)
    }

    mutating func rectangle(_ rectangle: PlotRectangle, _ style: String, tip: String? = nil) {
        let tip = tip.map { "<title>\(Markup.escaped($0))</title>" } ?? ""
        elements.append(
            """
            <rect \(PlotStyle.attributes(style)) x="\(Self.number(rectangle.x))" y="\(Self.number(rectangle.y))" \
            width="\(Self.number(rectangle.width))" height="\(Self.number(rectangle.height))">\(tip)</rect>
            """)
    }

    /// - Parameter isAlone: whether it is a file of its own, or part of a page that has the styles.
    func svg(isAlone: Bool) -> String {
        let style = isAlone ? "<style>\n\(PlotStyle.css)\n</style>\n" : ""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="\(Markup.escaped(title))" \
            viewBox="0 0 \(Self.number(width)) \(Self.number(height))" width="\(Self.number(width))" \
            height="\(Self.number(height))" font-family="\(PlotStyle.fontFamily)" font-size="12px">
            \(style)\(elements.joined(separator: "\n"))
            </svg>

            """
    }

    /// A tenth of a pixel is finer than eyes.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(format: "%.1f", rounded)
    }
}
