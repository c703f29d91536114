import COpenBLAS
import Foundation

/// Matrix products by OpenBLAS, and eigenvalues by LAPACKE over it: loaded when first asked for and never linked.
///
/// Linked, it would start a thread for every processor in each program that holds this library, each with 128 MiB of
/// address space, and none of them ever used; where there is no room for that, version 0.3.21 asks again without end,
/// and the program's exit waits for it. Loaded here, it starts no threads, and programs that do not choose
/// ``Backend/openBLAS`` neither have nor need it.
package enum OpenBLAS {
    /// What is used of the library.
    private struct Functions {
        let multiply: cetnet_cblas_sgemm
        let multiplyDoubles: cetnet_cblas_dgemm
        let addGram: cetnet_cblas_dsyrk
        let configuration: cetnet_openblas_get_config
        let coreName: cetnet_openblas_get_corename
        let parallel: cetnet_openblas_get_parallel
        /// What gives each call its buffer, and takes it back.
        let allocate: (@convention(c) (_ use: Int32) -> UnsafeMutableRawPointer?)?
        let free: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?

        init() throws(BackendError) {
            // Read once, while the library is loaded. The variable is the only way to have no threads at all, and a
            // value that the program's user has set stays. Changing the environment while another thread reads it is
            // not safe in C; this is one change, before the first model of this backend is loaded.
            let variable = "OPENBLAS_NUM_THREADS"
            let isSet = getenv(variable) != nil
            if !isSet { setenv(variable, "1", 0) }
            defer { if !isSet { unsetenv(variable) } }
            guard let library = dlopen(Self.name, RTLD_NOW | RTLD_LOCAL) else {
                throw BackendError(.openBLAS, reason: OpenBLAS.lastError)
            }
            func symbol<Function>(_ name: String, _ type: Function.Type) throws(BackendError) -> Function {
                try OpenBLAS.symbol(name, type, of: library)
            }
            multiply = try symbol("cblas_sgemm", cetnet_cblas_sgemm.self)
            multiplyDoubles = try symbol("cblas_dgemm", cetnet_cblas_dgemm.self)
            addGram = try symbol("cblas_dsyrk", cetnet_cblas_dsyrk.self)
            configuration = try symbol("openblas_get_config", cetnet_openblas_get_config.self)
            coreName = try symbol("openblas_get_corename", cetnet_openblas_get_corename.self)
            parallel = try symbol("openblas_get_parallel", cetnet_openblas_get_parallel.self)
            allocate = try? symbol("blas_memory_alloc", (@convention(c) (Int32) -> UnsafeMutableRawPointer?).self)
            free = try? symbol("blas_memory_free", (@convention(c) (UnsafeMutableRawPointer?) -> Void).self)
            // Parallelism is the engine's own, over rows and windows: each call into the library uses one thread. Needed
            // where the program had loaded the library before, or the user had set the variable.
            try symbol("openblas_set_num_threads", cetnet_openblas_set_num_threads.self)(1)
        }

        #if canImport(Darwin)
            static let name = "libopenblas.0.dylib"
        #else
            static let name = "libopenblas.so.0"
        #endif
    }

    private static var lastError: String { dlerror().map { String(cString: $0) } ?? "unknown" }

    private static func symbol<Function>(
        _ name: String, _: Function.Type, of library: UnsafeMutableRawPointer
    ) throws(BackendError) -> Function {
        guard let address = dlsym(library, name) else { throw BackendError(.openBLAS, reason: lastError) }
        return unsafeBitCast(address, to: Function.self)
    }

    private static let loaded = Result { () throws(BackendError) in try Functions() }

    /// Loads the library, unless it is there already.
    /// - Throws: ``BackendError`` if it is not installed.
    package static func load() throws(BackendError) { _ = try loaded.get() }

    /// After ``load()``.
    private static var functions: Functions {
        guard case .success(let functions) = loaded else {
            preconditionFailure("OpenBLAS is used without being loaded")
        }
        return functions
    }

    /// Has the library map `count` buffers, while no call is inside; see ``OpenBLASBuffers``. Builds of it that do not
    /// show how they take memory map them when they are called.
    static func mapBuffers(_ count: Int) {
        guard let allocate = functions.allocate, let free = functions.free else { return }
        let buffers = (0..<count).map { _ in allocate(0) }
        for buffer in buffers { free(buffer) }
    }

    /// Version and build options, as the library prints them.
    package static var configuration: String { String(cString: functions.configuration()!) }

    /// Name of the processor core that the library chose kernels for.
    package static var coreName: String { String(cString: functions.coreName()!) }

    /// How the library makes threads: 0 not at all, 1 with pthreads, 2 with OpenMP.
    package static var parallel: Int { Int(functions.parallel()) }

    /// `C = A · Bᵀ` or, with `transposed` false, `C = A · B`; row-major. After ``load()``.
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
        OpenBLASBuffers.withOne {
            functions.multiply(
                CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans,
                blasint(rows), blasint(columns), blasint(depth),
                1, a, blasint(aStride), b, blasint(bStride), 0, c, blasint(cStride))
        }
    }

    // MARK: Double precision

    /// `C = A · B`, row-major; either may be transposed first. After ``load()``.
    package static func multiply(
        _ a: DoubleMatrix, transposingFirst: Bool = false, rows: Int, by b: DoubleMatrix,
        transposingSecond: Bool = false, into c: DoubleMatrix
    ) {
        let (depth, columns) = transposingSecond ? (b.columns, b.rows) : (b.rows, b.columns)
        precondition(depth == (transposingFirst ? a.rows : a.columns) && columns == c.columns && rows <= c.rows)
        OpenBLASBuffers.withOne {
            functions.multiplyDoubles(
                CblasRowMajor, transposingFirst ? CblasTrans : CblasNoTrans,
                transposingSecond ? CblasTrans : CblasNoTrans,
                blasint(rows), blasint(columns), blasint(depth), 1, a.values, blasint(a.columns), b.values,
                blasint(b.columns), 0, c.values, blasint(c.columns))
        }
    }

    /// `C += Aᵀ · A`, where only the upper triangle of C is read and written. After ``load()``.
    /// - Parameter rows: of A that count.
    package static func addGram(of a: DoubleMatrix, rows: Int, to c: DoubleMatrix) {
        precondition(rows <= a.rows && c.rows == a.columns && c.columns == a.columns)
        OpenBLASBuffers.withOne {
            functions.addGram(
                CblasRowMajor, CblasUpper, CblasTrans, blasint(a.columns), blasint(rows), 1, a.values,
                blasint(a.columns), 1, c.values, blasint(c.columns))
        }
    }

    /// In OpenBLAS itself where it was built with it, else in a library of its own that uses OpenBLAS.
    private static let decomposition = Result { () throws(BackendError) in
        try load()
        let name = "LAPACKE_dsyevd"
        #if canImport(Darwin)
            let libraries = [Functions.name, "liblapacke.3.dylib"]
        #else
            let libraries = [Functions.name, "liblapacke.so.3"]
        #endif
        var missing: BackendError?
        for library in libraries {
            guard let library = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
                throw missing.map { BackendError(.openBLAS, reason: "\($0.reason); \(lastError)") }
                    ?? BackendError(.openBLAS, reason: lastError)
            }
            do throws(BackendError) {
                return try symbol(name, cetnet_lapacke_dsyevd.self, of: library)
            } catch {
                missing = error
            }
        }
        throw missing!
    }

    /// Replaces a symmetric matrix, of which the upper triangle is read, by its eigenvectors: each a row, of length 1.
    /// - Returns: their eigenvalues, ascending; `nil` if the algorithm does not converge.
    /// - Throws: ``BackendError`` where OpenBLAS or LAPACKE is not installed.
    package static func decompose(_ matrix: DoubleMatrix) throws(BackendError) -> [Double]? {
        let function = try decomposition.get()
        precondition(matrix.rows == matrix.columns)
        var eigenvalues = [Double](repeating: 0, count: matrix.rows)
        var problem: Int32 = 0
        // By columns (102) our upper triangle is the lower one, and the eigenvectors are what we see as rows.
        eigenvalues.withUnsafeMutableBufferPointer { eigenvalues in
            OpenBLASBuffers.withOne {
                problem = function(
                    102, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")), blasint(matrix.rows), matrix.values,
                    blasint(matrix.rows), eigenvalues.baseAddress)
            }
        }
        return problem == 0 ? eigenvalues : nil
    }
}
