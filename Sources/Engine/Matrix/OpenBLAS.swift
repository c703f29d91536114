import COpenBLAS
import Dispatch

/// Single-precision matrix products by OpenBLAS.
package enum OpenBLAS {
    /// Parallelism is the engine's own, over rows and windows: each call into the library uses one thread.
    /// `openblas_set_num_threads` works at any time, the environment variable only before loading.
    private static let useOneThread: Void = openblas_set_num_threads(1)

    /// OpenBLAS hands each caller a buffer out of a fixed table; version 0.3.21 crashed with 200 callers at once.
    private static let callers = DispatchSemaphore(value: 64)

    /// Version and build options, as the library prints them.
    package static var configuration: String { String(cString: openblas_get_config()) }

    /// Name of the processor core that the library chose kernels for.
    package static var coreName: String { String(cString: openblas_get_corename()) }

    /// `C = A · Bᵀ` or, with `transposed` false, `C = A · B`; row-major.
    /// - Parameters:
    ///   - a: rows × depth, rows `aStride` apart.
    ///   - b: columns × depth (or depth × columns), rows `bStride` apart.
    ///   - c: rows × columns, rows `cStride` apart.
    package static func multiply(
        rows: Int, columns: Int, depth: Int,
        a: UnsafePointer<Float>, aStride: Int,
        b: UnsafePointer<Float>, bStride: Int, transposed: Bool,
        c: UnsafeMutablePointer<Float>, cStride: Int
    ) {
        _ = useOneThread
        callers.wait()
        defer { callers.signal() }
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans,
            blasint(rows), blasint(columns), blasint(depth),
            1, a, blasint(aStride), b, blasint(bStride), 0, c, blasint(cStride))
    }
}
