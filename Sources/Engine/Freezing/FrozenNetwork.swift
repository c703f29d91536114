import CETNetCheckpoint
import CETNetGraph
import CETNetOperators
import Foundation

/// The weights of a model, folded and packed for this machine's kernels. Immutable; shared by any number of sessions.
package final class FrozenNetwork: Sendable {
    package let backend: Backend
    package let kernels: KernelSet
    let weights: FrozenWeights
    let layout: MatrixWeights.Layout
    private let memory: HugePageMemory
    private let makeGraph: @Sendable (ImageSize) -> Graph

    /// Freezes a network.
    /// - Parameters:
    ///   - referenceSize: any accepted image size; the weights are the same for all.
    ///   - weights: where the tensors come from; only read during this call.
    ///   - backend: who multiplies matrices.
    ///   - kernels: the instruction-set tier; by default what the environment asks for, or the best.
    ///   - threads: how many threads may help.
    ///   - makeGraph: the network at an image size.
    /// - Throws: `CheckpointError` from reading tensors, ``KernelTierError``.
    package init(
        referenceSize: ImageSize, weights source: some TensorSource, backend: Backend, kernels: KernelSet? = nil,
        threads: Int, makeGraph: @escaping @Sendable (ImageSize) -> Graph
    ) throws {
        let kernels = try kernels ?? KernelSet.selected()
        self.backend = backend
        self.kernels = kernels
        self.makeGraph = makeGraph
        // Without wide vectors OpenBLAS's hand-written kernels win.
        layout = backend == .openBLAS || kernels.isPortable ? .rowMajor : .panels
        (weights, memory) = try Freezer.freeze(
            Fusion.fuse(makeGraph(referenceSize)), source: source, kernels: kernels, layout: layout, threads: threads)
    }

    /// Bytes of packed weights held in memory.
    package var weightBytes: Int { memory.bytes }

    /// The network at an image size.
    package func graph(size: ImageSize) -> Graph { makeGraph(size) }
}
