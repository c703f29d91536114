import CETNetCheckpoint
import CETNetGraph
import CETNetKernels
import CETNetMemory
import Synchronization

/// A network fused into layers, its weights folded and packed for this machine's kernels. Immutable; shared by any
/// number of sessions.
package final class FrozenNetwork: Sendable {
    package let backend: Backend
    package let kernels: KernelSet
    package let precision: Precision
    let format: WeightFormat
    /// In execution order, the same for every image size.
    let nodes: [FusedNode]
    /// The graph's outputs, in the order in which runs take their places; the same for every image size.
    package let outputNames: [String]
    private let memory: HugePageMemory
    private let makeGraph: @Sendable (ImageSize) -> Graph
    /// The graphs of the sizes last asked for, the last one at the end.
    private let graphs = Mutex<[(size: ImageSize, graph: Graph)]>([])

    /// Sizes whose graphs are kept.
    private static let keptGraphs = 8

    /// Freezes a network.
    /// - Parameters:
    ///   - referenceSize: any accepted image size; layers and weights are the same for all.
    ///   - weights: where the tensors come from; only read during this call.
    ///   - backend: who multiplies matrices.
    ///   - precision: what linear layers and dense convolutions are computed in.
    ///   - isQuantized: whether the tensors are those of ``QuantizedTensor/list(_:precision:)`` for that precision.
    ///   - kernels: the instruction-set tier; by default what the environment asks for, or the best.
    ///   - threads: how many threads may help.
    ///   - makeGraph: the network at an image size.
    /// - Throws: `CheckpointError` from reading tensors, ``KernelTierError``, ``BackendError``, ``OutOfMemoryError``.
    package init(
        referenceSize: ImageSize, weights source: some TensorSource, backend: Backend,
        precision: Precision = .float32, isQuantized: Bool = false, kernels: KernelSet? = nil, threads: Int,
        makeGraph: @escaping @Sendable (ImageSize) -> Graph
    ) throws {
        let kernels = try kernels ?? KernelSet.selected()
        let format = WeightFormat(backend, kernels: kernels)
        if format == .rowMajor { try OpenBLAS.load() }
        let graph = makeGraph(referenceSize)
        var nodes = Fusion.fuse(graph)
        memory = try Freezer.freeze(
            &nodes, source: source, kernels: kernels, format: format, precision: precision,
            isQuantized: isQuantized, threads: threads)
        self.backend = backend
        self.kernels = kernels
        self.precision = precision
        self.format = format
        self.nodes = nodes
        outputNames = graph.outputs.map(\.name)
        self.makeGraph = makeGraph
        graphs.withLock { $0 = [(referenceSize, graph)] }
    }

    /// Bytes of packed weights held in memory.
    package var weightBytes: Int { memory.bytes }

    func weights(_ region: WeightRegion) -> Weights { Weights(address: memory.base + region.offset) }

    /// The network at an image size; those of the last few sizes are kept.
    package func graph(size: ImageSize) -> Graph {
        graphs.withLock { graphs in
            let known = graphs.firstIndex { $0.size == size }.map { graphs.remove(at: $0).graph }
            let graph = known ?? makeGraph(size)
            if graphs.count == Self.keptGraphs { graphs.removeFirst() }
            graphs.append((size, graph))
            return graph
        }
    }
}
