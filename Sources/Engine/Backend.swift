/// Which code multiplies matrices.
public enum Backend: String, Sendable, Hashable, CaseIterable {
    /// The fastest on this machine: the engine's own GEMM where it has a tier for the processor's vector
    /// instructions, OpenBLAS elsewhere.
    case automatic = "auto"
    /// OpenBLAS for every matrix product.
    case openBLAS = "openblas"
}
