import CETNetGraph

/// Which values share a buffer, and how long each buffer is needed.
///
/// A concatenation costs nothing where its inputs are computed in the places that they have in it: they then live in
/// the concatenation's buffer, whose rows are wider than theirs. The layers of a dense embedding, each a concatenation
/// that is part of the next one, all live in one buffer as wide as the last. A slice is a place in the buffer of what it
/// was cut from.
struct Placement {
    /// A value's place: in the buffer of another value, its own if it lives alone, from some channel on.
    struct Home {
        var owner: ValueID
        var channel: Int
    }

    private let graph: Graph
    private var homes: [ValueID: Home] = [:]
    /// Index of the last fused node that reads anything in the buffer of an owner.
    private var lastReader: [ValueID: Int] = [:]

    init(_ nodes: [FusedNode], graph: Graph) {
        self.graph = graph
        // From the last to the first: a concatenation knows its own place before it gives places to its inputs.
        var fixed = Set(graph.outputs.map(\.value))
        for node in nodes {
            switch node.layer.place {
            case .ownBuffer, .partOfInput: fixed.insert(node.output)
            case .anywhere, .joinedInputs: break
            }
        }
        for node in nodes.reversed() {
            guard case .joinedInputs = node.layer.place else { continue }
            var place = home(of: node.output)
            homes[node.output] = place
            for input in node.inputs {
                if homes[input] == nil, !fixed.contains(input) { homes[input] = place }
                place.channel += graph.shape(of: input).channels
            }
        }
        for node in nodes {
            guard case .partOfInput(let channels) = node.layer.place else { continue }
            var place = home(of: node.input)
            place.channel += channels.lowerBound
            homes[node.output] = place
        }
        for node in nodes {
            for value in node.inputs { lastReader[home(of: value).owner] = node.index }
            if let residual = node.residual { lastReader[home(of: residual).owner] = node.index }
        }
    }

    /// Where a value lives.
    func home(of value: ValueID) -> Home { homes[value] ?? Home(owner: value, channel: 0) }

    /// Whether the result of a fused node may replace `value` in its buffer: nothing else is there that is still
    /// needed, and the result has no place of its own.
    func canReplace(_ value: ValueID, with node: FusedNode) -> Bool {
        home(of: value).owner == value && lastReader[value] == node.index && home(of: node.output).owner == node.output
            && !graph.outputs.contains { $0.value == value } && graph.shape(of: value) == graph.shape(of: node.output)
    }

    /// Whether two values are in the same buffer.
    func share(_ a: ValueID, _ b: ValueID) -> Bool { home(of: a).owner == home(of: b).owner }
}
