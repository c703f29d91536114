import CETNetGraph

/// Colours and type of the plots and pages, on light and on dark ground.
enum PlotStyle {
    static let fontFamily = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

    /// The declarations of both grounds. Plots that stand alone hold them, a page holds them once.
    static let css = """
        :root { color-scheme: light dark; \(variables(\.light)) }
        @media (prefers-color-scheme: dark) { :root { \(variables(\.dark)) } }
        .plot { font-family: \(fontFamily); font-size: 12px; }
        \(rules.map(declarations).joined(separator: "\n"))
        .plot .label { paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
        """

    /// The same as attributes of an element, for viewers that ignore style sheets: on light ground, and without the halo
    /// of labels, which would cover them where the order of painting is ignored too.
    static func attributes(_ classes: String) -> String {
        let properties = classes.split(separator: " ").flatMap { name in
            rules.first { $0.className == name }?.properties ?? []
        }
        // Of two declarations of a property the later one holds, as in a style sheet.
        let names = properties.map(\.name).grouped { $0 }.map(\.key)
        return "class=\"\(classes)\""
            + names.map { name in
                let value = properties.last { $0.name == name }!.value
                return " \(name)=\"\(colour(value)?.light ?? value)\""
            }.joined()
    }

    /// The properties of each class of elements, as SVG names them. A value that is the name of a colour stands for it.
    private static let rules: [(className: String, properties: [(name: String, value: String)])] =
        [
            ("ground", [("fill", "ground")]),
            ("name", [("fill", "ink")]),
            ("label", [("fill", "ink")]),
            ("title", [("fill", "ink"), ("font-size", "15px"), ("font-weight", "600")]),
            ("subtitle", [("fill", "quiet")]),
            ("tick", [("fill", "quiet")]),
            ("grid", [("stroke", "grid"), ("stroke-width", "1")]),
            ("axis", [("stroke", "quiet"), ("stroke-width", "1")]),
            ("spread", [("stroke", "mark"), ("stroke-width", "6"), ("stroke-linecap", "round"), ("opacity", "0.35")]),
            ("leader", [("stroke", "quiet"), ("stroke-width", "0.75")]),
            ("front", [("fill", "none"), ("stroke", "accent"), ("stroke-width", "1.75")]),
            ("guide", [("fill", "none"), ("stroke", "quiet"), ("stroke-width", "1"), ("stroke-dasharray", "5 4")]),
            ("point", [("fill", "mark"), ("stroke", "ground"), ("stroke-width", "1.5")]),
            ("best", [("fill", "accent")]),
            ("on-part", [("fill", "on-part")]),
        ] + Part.allCases.map { (className($0), [("fill", className($0))]) }

    private static func declarations(_ className: String, _ properties: [(name: String, value: String)]) -> String {
        let list = properties.map { "\($0.name): \(colour($0.value) == nil ? $0.value : "var(--\($0.value))");" }
        return ".plot .\(className) { \(list.joined(separator: " ")) }"
    }

    private static func colour(_ name: String) -> Colour? { colours.first { $0.name == name } }

    /// The class of a part's areas.
    static func className(_ part: Part) -> String { "part-" + part.key.replacing("_", with: "-") }

    private typealias Colour = (name: String, light: String, dark: String)

    private static let colours: [Colour] =
        [
            ("ground", "#ffffff", "#16191d"),
            ("ink", "#1c2127", "#e6e9ed"),
            ("quiet", "#5a6572", "#9aa5b1"),
            ("grid", "#e4e8ec", "#2b3138"),
            ("panel", "#f4f6f8", "#1f242a"),
            ("mark", "#3b6fb6", "#7fb0ee"),
            ("accent", "#c2410c", "#fb9a5b"),
            ("on-part", "#ffffff", "#10141a"),
        ] + Part.allCases.map { (className($0), colours(of: $0).light, colours(of: $0).dark) }

    /// Blues for the convolutions that open stages; neighbours in a bar differ in lightness too.
    private static func colours(of part: Part) -> (light: String, dark: String) {
        switch part {
        case .image: ("#8a6d1f", "#d9c06a")
        case .stem: ("#0f4c81", "#5b9bd8")
        case .convolutionalEmbedding: ("#2f7fc4", "#8cc4f5")
        case .patchEmbedding: ("#0e7c86", "#5cc8cf")
        case .localConvolution: ("#3f7d3a", "#8fca86")
        case .attention: ("#b4540a", "#f3ab62")
        case .mlp: ("#7a4bb0", "#c3a1ee")
        case .head: ("#6b7280", "#a8b0bb")
        }
    }

    private static func variables(_ ground: (Colour) -> String) -> String {
        colours.map { "--\($0.name): \(ground($0));" }.joined(separator: " ")
    }
}
