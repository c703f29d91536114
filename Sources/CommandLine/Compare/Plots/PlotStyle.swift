import CETNetGraph

/// Colours and type of the plots and pages, on light and on dark ground.
enum PlotStyle {
    /// The declarations of both grounds. Plots that stand alone hold them, a page holds them once.
    static let css = """
        :root { color-scheme: light dark; \(variables(\.light)) }
        @media (prefers-color-scheme: dark) { :root { \(variables(\.dark)) } }
        .plot { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
        .plot .ground { fill: var(--ground); }
        .plot text { fill: var(--ink); }
        .plot .title { font-size: 15px; font-weight: 600; }
        .plot .subtitle, .plot .tick { fill: var(--quiet); }
        .plot .label { paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
        .plot .grid { stroke: var(--grid); stroke-width: 1; }
        .plot .axis { stroke: var(--quiet); stroke-width: 1; }
        .plot .spread { stroke: var(--mark); stroke-width: 1.5; opacity: 0.55; }
        .plot .leader { stroke: var(--quiet); stroke-width: 0.75; }
        .plot .front { fill: none; stroke: var(--accent); stroke-width: 1.75; }
        .plot .guide { fill: none; stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 5 4; }
        .plot .point { fill: var(--mark); stroke: var(--ground); stroke-width: 1.5; }
        .plot .point.best { fill: var(--accent); }
        \(Part.allCases.map { ".plot .\(className($0)) { fill: var(--\(className($0))); }" }.joined(separator: "\n"))
        .plot .on-part { fill: var(--on-part); }
        """

    /// The class of a part's areas.
    static func className(_ part: Part) -> String { "part-" + part.key.replacing("_", with: "-") }

    private struct Colours {
        let light: String
        let dark: String
    }

    private static let colours: [(name: String, Colours)] =
        [
            ("ground", Colours(light: "#ffffff", dark: "#16191d")),
            ("ink", Colours(light: "#1c2127", dark: "#e6e9ed")),
            ("quiet", Colours(light: "#5a6572", dark: "#9aa5b1")),
            ("grid", Colours(light: "#e4e8ec", dark: "#2b3138")),
            ("panel", Colours(light: "#f4f6f8", dark: "#1f242a")),
            ("mark", Colours(light: "#3b6fb6", dark: "#7fb0ee")),
            ("accent", Colours(light: "#c2410c", dark: "#fb9a5b")),
            ("on-part", Colours(light: "#ffffff", dark: "#10141a")),
        ] + Part.allCases.map { (className($0), colours(of: $0)) }

    /// Blues for the convolutions that open stages; neighbours in a bar differ in lightness too.
    private static func colours(of part: Part) -> Colours {
        switch part {
        case .image: Colours(light: "#8a6d1f", dark: "#d9c06a")
        case .stem: Colours(light: "#0f4c81", dark: "#5b9bd8")
        case .convolutionalEmbedding: Colours(light: "#2f7fc4", dark: "#8cc4f5")
        case .patchEmbedding: Colours(light: "#0e7c86", dark: "#5cc8cf")
        case .localConvolution: Colours(light: "#3f7d3a", dark: "#8fca86")
        case .attention: Colours(light: "#b4540a", dark: "#f3ab62")
        case .mlp: Colours(light: "#7a4bb0", dark: "#c3a1ee")
        case .head: Colours(light: "#6b7280", dark: "#a8b0bb")
        }
    }

    private static func variables(_ ground: KeyPath<Colours, String>) -> String {
        colours.map { "--\($0.name): \($0.1[keyPath: ground]);" }.joined(separator: " ")
    }
}
