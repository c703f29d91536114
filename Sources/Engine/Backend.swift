import Foundation

/// Which code multiplies matrices.
public enum Backend: String, Sendable, Hashable, CaseIterable {
    /// The fastest on this machine: the engine's own GEMM where it has a tier for the processor's vector
    /// instructions, OpenBLAS elsewhere.
    case automatic = "auto"
    /// OpenBLAS for every matrix product. It is loaded from the system's libraries with the first such model.
    case openBLAS = "openblas"
}

/// The code that should multiply matrices is not on this machine.
public struct BackendError: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
    /// What was asked for, by name or, where the engine has no kernels of its own for the processor, by default.
    public let backend: Backend
    /// The system's words.
    public let reason: String

    package init(_ backend: Backend, reason: String) {
        self.backend = backend
        self.reason = reason
    }

    public var description: String { "the backend \(backend.rawValue) cannot be loaded: \(reason)" }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}
