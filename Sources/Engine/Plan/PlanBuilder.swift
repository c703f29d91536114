import CETNetGraph
import CETNetKernels
import CETNetMemory

/// Lowers a graph to a plan.
///
/// The first pass drafts the steps and notes which buffers they read and write; then the buffers are laid out, and
/// each draft becomes a step that knows its addresses.
struct PlanBuilder {
    private struct Draft {
        let name: String
        var nodes: [Int]
        /// Whether it goes on with what the draft before it does.
        let continues: Bool
        let make: ((Slot) -> Location) -> any Step
    }

    /// Where a value is going to live: from `channel` on in the rows of a buffer.
    struct Slot {
        let buffer: Int
        let channel: Int
        let shape: TensorShape
    }

    let threads: Int
    /// Threads that matrix products are cut for. Where their bits depend on the cut, it must be the same for any number
    /// of threads.
    let matrixThreads: Int
    private let network: FrozenNetwork
    private let graph: Graph
    private let placement: Placement
    private var drafts: [Draft] = []
    private var buffers: [ArenaLayout.Buffer] = []
    /// Floats from one position of a buffer to the next.
    private var strides: [Int] = []
    /// Buffer of each owner of one that exists so far.
    private var bufferOf: [ValueID: Int] = [:]
    /// Index of the draft that computes a value.
    private var draftOf: [ValueID: Int] = [:]

    static func build(_ network: FrozenNetwork, size: ImageSize, threads: Int) throws(OutOfMemoryError) -> Plan {
        var builder = PlanBuilder(network, graph: network.graph(size: size), threads: threads)
        return try builder.build()
    }

    private init(_ network: FrozenNetwork, graph: Graph, threads: Int) {
        self.network = network
        self.graph = graph
        self.threads = threads
        matrixThreads = network.format.isIndependentOfTheCut ? threads : 4
        placement = Placement(network.nodes, graph: graph)
    }

    var kernels: KernelSet { network.kernels }
    var format: WeightFormat { network.format }
    func weights(_ region: WeightRegion) -> Weights { network.weights(region) }

    private mutating func build() throws(OutOfMemoryError) -> Plan {
        for node in network.nodes {
            let before = drafts.count
            try node.layer.draft(node, in: &self)
            if drafts.count > before {
                draftOf[node.output] = drafts.count - 1
            } else {
                // No step of its own: it is there with the last of its inputs, and counts to that one's step.
                let step = draftOf[node.inputs.last!]!
                drafts[step].nodes += node.nodes
                draftOf[node.output] = step
            }
            for (index, output) in graph.outputs.enumerated() where output.value == node.output {
                let value = slot(of: node.output)
                append(output.name, nodes: [], uses: [value]) {
                    OutputStep(input: $0(value), output: index, isClassToken: output.isClassToken)
                }
            }
        }
        let layout = ArenaLayout(buffers)
        let strides = strides
        var reported = -1
        let entries = drafts.map { draft in
            let step = draft.make {
                Location(
                    offset: layout.offsets[$0.buffer] + $0.channel * MemoryLayout<Float>.stride, shape: $0.shape,
                    stride: strides[$0.buffer])
            }
            reported += draft.continues ? 0 : 1
            return Plan.Entry(
                step: step, nodes: draft.nodes, name: draft.name, reported: reported,
                multiplyAdds: step.multiplyAdds ?? draft.nodes.reduce(0) { $0 + graph.nodes[$1].multiplyAdds })
        }
        return Plan(
            graph: graph, entries: entries, arenaBytes: layout.bytes,
            scratchBytes: entries.map(\.step.scratchBytes).max() ?? 0)
    }

    // MARK: Buffers

    /// A new buffer, needed from the next step on.
    mutating func newBuffer(_ shape: TensorShape, stride: Int? = nil) -> Slot {
        let stride = stride ?? Self.stride(of: shape)
        buffers.append(
            ArenaLayout.Buffer(
                bytes: shape.tokens * stride * MemoryLayout<Float>.stride, firstStep: drafts.count,
                lastStep: drafts.count))
        strides.append(stride)
        return Slot(buffer: buffers.count - 1, channel: 0, shape: shape)
    }

    /// Rows of whole memory pages would compete for the same few lines of the first-level cache: these get another line
    /// between them.
    private static func stride(of shape: TensorShape) -> Int {
        shape.channels % 1024 == 0 && shape.tokens > 1 ? shape.channels + CacheLine.floats : shape.channels
    }

    /// The place of a value in the buffer of its owner, which begins to exist with the first value in it.
    mutating func slot(of value: ValueID) -> Slot {
        let home = placement.home(of: value)
        if bufferOf[home.owner] == nil { bufferOf[home.owner] = newBuffer(graph.shape(of: home.owner)).buffer }
        return Slot(buffer: bufferOf[home.owner]!, channel: home.channel, shape: graph.shape(of: value))
    }

    /// The place for a node's output: that of `replacing` if nothing else needs it afterwards, so that the result
    /// replaces it in the cache, else the output's own.
    mutating func output(of node: FusedNode, replacing: ValueID? = nil) -> Slot {
        if let replacing, canReplace(replacing, with: node) { bufferOf[node.output] = bufferOf[replacing] }
        return slot(of: node.output)
    }

    /// Whether the result of a fused node may replace `value` in its buffer.
    func canReplace(_ value: ValueID, with node: FusedNode) -> Bool { placement.canReplace(value, with: node) }

    /// Whether two values are in the same buffer.
    func share(_ a: ValueID, _ b: ValueID) -> Bool { placement.share(a, b) }

    // MARK: Steps

    /// - Parameters:
    ///   - uses: what the step reads and writes.
    ///   - continues: whether it is one with the step before it in reports.
    mutating func append(
        _ name: String, nodes: [Int], uses: [Slot], continues: Bool = false,
        make: @escaping ((Slot) -> Location) -> any Step
    ) {
        for slot in uses { buffers[slot.buffer].lastStep = drafts.count }
        drafts.append(Draft(name: name, nodes: nodes, continues: continues, make: make))
    }
}
