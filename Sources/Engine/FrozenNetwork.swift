import CETNetCheckpoint
import CETNetGraph

/// Which code multiplies matrices.
public enum Backend: String, Sendable, Hashable, CaseIterable {
    /// The fastest for each layer on this machine.
    case automatic = "auto"
    /// OpenBLAS for every matrix product.
    case openBLAS = "openblas"
}

/// The weights of a model, folded and packed for this machine's kernels. Immutable; shared by any number of sessions.
package final class FrozenNetwork: Sendable {
    /// - Parameters:
    ///   - weights: where the tensors come from; only read during this call.
    ///   - threads: how many threads may help with packing.
    ///   - makeGraph: the network at an image size.
    /// - Throws: `CheckpointError` from reading tensors.
    package init(
        referenceSize: ImageSize, weights: some TensorSource, backend: Backend, threads: Int,
        makeGraph: @escaping @Sendable (ImageSize) -> Graph
    ) throws {
        fatalError()
    }

    /// Bytes of packed weights held in memory.
    package var weightBytes: Int { 0 }
}
