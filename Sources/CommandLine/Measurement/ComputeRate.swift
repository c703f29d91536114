import CETNetEngine
import CETNetKernels
import CETNetMemory
import CKernels
import Dispatch

/// How fast this machine computes, at best, on a number of threads: what a network's speed is compared with.
enum ComputeRate {
    /// Floating point operations per second, in billions, of a loop of fused multiply-adds on registers, on `threads`
    /// threads at once: the most that the instructions of the kernels' tier can do.
    /// - Returns: the best of several rounds within about `seconds`.
    /// - Throws: ``OutOfMemoryError``.
    static func fusedMultiplyAddPeak(
        threads: Int, kernels: KernelSet, seconds: Double = 0.2
    ) throws(OutOfMemoryError) -> Double {
        let peak = kernels.functions.pointee.peak!
        func run(rounds: Int) -> (sum: Float, operations: Double) {
            var arguments = cetnet_peak(rounds: rounds, multiplier: 0.5, addend: 0.25, sum: 0, per_round: 0)
            peak(&arguments)
            return (arguments.sum, 2 * Double(rounds) * Double(arguments.per_round))
        }
        // Long enough that starting the threads does not matter, short enough that some round is left alone.
        let rounds = 200_000
        let operations = run(rounds: rounds).operations
        return best(try ThreadTeam(workers: threads), operations: operations, seconds: seconds) { _ in
            let sum = run(rounds: rounds).sum
            precondition(sum > 0, "the chains of the peak loop converge to 0.5, not to a sum of \(sum)")
        }
    }

    /// The side of the matrices of ``matrixProduct(threads:seconds:)``.
    static let matrixSide = 1024

    /// Floating point operations per second, in billions, of OpenBLAS's `cblas_sgemm` on square matrices of
    /// ``matrixSide``: each of `threads` threads multiplies matrices of its own, one call after another.
    /// - Returns: the best of several rounds within about `seconds`.
    /// - Throws: ``OutOfMemoryError``.
    static func matrixProduct(threads: Int, seconds: Double = 0.4) throws(OutOfMemoryError) -> Double {
        let side = matrixSide
        let count = side * side
        // Three matrices per thread, a page apart so that they do not all begin at the same set of the caches.
        let stride = count + 1024
        let memory = try HugePageMemory(bytes: threads * 3 * stride * MemoryLayout<Float>.stride)
        let base = Matrices(base: memory.base.assumingMemoryBound(to: Float.self))
        for index in 0..<threads * 3 * stride { base.base[index] = Float(index % 17) / 16 - 0.5 }
        let team = try ThreadTeam(workers: threads)
        let buffers = try OpenBLASBuffers(team.workers)
        let operations = 2 * Double(count) * Double(side)
        return withExtendedLifetime((memory, buffers)) {
            best(team, operations: operations, seconds: seconds) { thread in
                let a = base.base + thread * 3 * stride
                OpenBLAS.multiply(
                    rows: side, columns: side, depth: side, a: a, aStride: side, b: a + stride, bStride: side,
                    transposed: false, c: a + 2 * stride, cStride: side)
            }
        }
    }

    /// Each thread writes to matrices of its own only.
    private struct Matrices: @unchecked Sendable {
        let base: UnsafeMutablePointer<Float>
    }

    /// Billions of operations per second of the fastest round, in which every thread does `work` once.
    private static func best(
        _ team: ThreadTeam, operations: Double, seconds: Double, _ work: (Int) -> Void
    ) -> Double {
        team.runAll(work)  // wakes the threads, touches the memory
        var fastest = UInt64.max
        let start = DispatchTime.now().uptimeNanoseconds
        var now = start
        repeat {
            let begin = now
            team.runAll(work)
            now = DispatchTime.now().uptimeNanoseconds
            fastest = min(fastest, now - begin)
        } while Double(now - start) < seconds * 1e9
        return operations * Double(team.workers) / Double(fastest)
    }
}
