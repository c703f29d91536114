import CETNetEngine
import CETNetKernels
import CETNetMemory

/// What the machine can do at best, for each number of threads that was used.
struct ReferenceRates {
    /// In GFLOP/s.
    struct Rates {
        /// OpenBLAS's matrix product.
        let matrixProduct: Double
        /// Multiply-adds on registers.
        let fusedMultiplyAddPeak: Double
    }

    private var rates: [Int: Rates] = [:]

    /// Measures. Takes less than a second for each number of threads.
    /// - Throws: ``BackendError`` without OpenBLAS, whose product is one of the rates; ``KernelTierError``; ``OutOfMemoryError``.
    init(threads: [Int]) throws {
        try OpenBLAS.load()
        let kernels = try KernelSet.selected()
        for count in Set(threads).sorted() {
            rates[count] = Rates(
                matrixProduct: try ComputeRate.matrixProduct(threads: count),
                fusedMultiplyAddPeak: try ComputeRate.fusedMultiplyAddPeak(threads: count, kernels: kernels))
        }
    }

    func of(threads: Int) -> Rates { rates[threads]! }
}
