import CETNetGraph

/// A network at one image size for a number of threads: steps in order, and a place for every value.
struct Plan: Sendable {
    /// A step with what reports say about it.
    struct Entry: Sendable {
        let step: any Step
        /// Indices of the graph's nodes that it computes; empty for copies at the ends.
        let nodes: [Int]
        let name: String
        /// Position among the steps that reports show: what a layer does band by band is one of them.
        let reported: Int
        /// Multiply-adds of convolutions, linear layers and attention for one image, as it computes them.
        let multiplyAdds: Int
    }

    let graph: Graph
    let entries: [Entry]
    /// What the activations of one image take.
    let arenaBytes: Int
    /// Scratch that each worker needs.
    let scratchBytes: Int
}
