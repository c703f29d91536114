import CETNetGraph
import CETNetOperators

/// Lowers a graph to a plan.
///
/// The first pass drafts the steps and notes which buffers they read and write; then the buffers are laid out, and
/// each draft becomes a step that knows its addresses.
struct PlanBuilder {
    private struct Draft {
        let name: String
        var nodes: [Int]
        let make: ((Slot) -> Location) -> any Step
    }

    /// Where a value is going to live: from `channel` on in the rows of a buffer.
    struct Slot {
        let buffer: Int
        let channel: Int
        let shape: TensorShape
    }

    let network: FrozenNetwork
    let graph: Graph
    let threads: Int
    /// Threads that matrix products are cut for. OpenBLAS may round differently for another number of rows, so there
    /// the cut must be the same for any number of threads.
    let cutThreads: Int
    let placement: Placement
    private let nodes: [FusedNode]
    private var drafts: [Draft] = []
    private var buffers: [ArenaLayout.Buffer] = []
    /// Floats from one position of a buffer to the next.
    private var strides: [Int] = []
    /// Buffer of each owner of one that exists so far.
    private var bufferOf: [ValueID: Int] = [:]
    /// Index of the draft that computes a value.
    private var draftOf: [ValueID: Int] = [:]

    static func build(_ network: FrozenNetwork, size: ImageSize, threads: Int) -> Plan {
        var builder = PlanBuilder(network, graph: network.graph(size: size), threads: threads)
        return builder.build()
    }

    private init(_ network: FrozenNetwork, graph: Graph, threads: Int) {
        self.network = network
        self.graph = graph
        self.threads = threads
        cutThreads = network.layout == .rowMajor ? 4 : threads
        nodes = Fusion.fuse(graph)
        placement = Placement(nodes, graph: graph)
    }

    private mutating func build() -> Plan {
        for (index, node) in nodes.enumerated() {
            let before = drafts.count
            draft(node, index: index)
            if drafts.count > before {
                draftOf[node.output] = drafts.count - 1
            } else {
                // No step of its own: it is there with the last of its inputs, and counts to that one's step.
                let step = draftOf[node.inputs.last!]!
                drafts[step].nodes += node.nodes
                draftOf[node.output] = step
            }
            if let stage = graph.features.firstIndex(of: node.output) {
                let map = slot(of: node.output)
                append("feature map of stage \(stage + 1)", nodes: [], uses: [map]) {
                    FeatureStep(input: $0(map), stage: stage)
                }
            }
        }
        let logits = slot(of: graph.logits)
        append("logits", nodes: [], uses: [logits]) { LogitsStep(input: $0(logits)) }

        let layout = ArenaLayout(buffers)
        let strides = strides
        let entries = drafts.map { draft in
            Plan.Entry(
                step: draft.make {
                    Location(
                        offset: layout.offsets[$0.buffer] + $0.channel, shape: $0.shape, stride: strides[$0.buffer])
                }, nodes: draft.nodes, name: draft.name)
        }
        return Plan(
            graph: graph, entries: entries, arenaCount: layout.count,
            scratchCount: entries.map(\.step.scratchCount).max() ?? 0,
            featureShapes: graph.features.map { graph.shape(of: $0).map })
    }

    // MARK: Buffers

    /// A new buffer, needed from the next step on.
    mutating func newBuffer(_ shape: TensorShape, stride: Int? = nil) -> Slot {
        let stride = stride ?? Self.stride(of: shape)
        buffers.append(
            ArenaLayout.Buffer(count: shape.tokens * stride, firstStep: drafts.count, lastStep: drafts.count))
        strides.append(stride)
        return Slot(buffer: buffers.count - 1, channel: 0, shape: shape)
    }

    /// Rows of whole memory pages would compete for the same few lines of the first-level cache: these get another line
    /// between them.
    private static func stride(of shape: TensorShape) -> Int {
        shape.channels % 1024 == 0 && shape.tokens > 1 ? shape.channels + 16 : shape.channels
    }

    /// The place of a value in the buffer of its owner, which begins to exist with the first value in it.
    mutating func slot(of value: ValueID) -> Slot {
        let home = placement.home(of: value)
        if bufferOf[home.owner] == nil { bufferOf[home.owner] = newBuffer(graph.shape(of: home.owner)).buffer }
        return Slot(buffer: bufferOf[home.owner]!, channel: home.channel, shape: graph.shape(of: value))
    }

    /// The place for a node's output: that of `replacing` if nothing else needs it afterwards, so that the result
    /// replaces it in the cache, else the output's own.
    mutating func outputSlot(_ node: FusedNode, index: Int, replacing: ValueID? = nil) -> Slot {
        if let replacing, placement.canReplace(replacing, with: node, at: index) {
            bufferOf[node.output] = bufferOf[replacing]
        }
        return slot(of: node.output)
    }

    /// - Parameter uses: what the step reads and writes.
    mutating func append(
        _ name: String, nodes: [Int], uses: [Slot], make: @escaping ((Slot) -> Location) -> any Step
    ) {
        for slot in uses { buffers[slot.buffer].lastStep = drafts.count }
        drafts.append(Draft(name: name, nodes: nodes, make: make))
    }
}
