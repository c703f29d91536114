import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import Testing

/// The loop of multiply-adds is a measure of the machine, so it has to do all the operations that it says it does.
@Suite struct PeakTests {
    @Test func everyRoundIsComputed() {
        for kernels in KernelSet.usable {
            for rounds in [0, 1, 2, 10] {
                var arguments = cetnet_peak(rounds: rounds, multiplier: 0.5, addend: 1, sum: .nan, per_round: 0)
                kernels.functions.pointee.peak(&arguments)
                let lanes = kernels.lanes
                #expect(Int(arguments.per_round) % lanes == 0)
                // Chain i starts at i. x ← x/2 + 1 is exact here: powers of two and few bits.
                var expected: Float = 0
                for chain in 0..<(Int(arguments.per_round) / lanes) {
                    var x = Float(chain)
                    for _ in 0..<rounds { x = x / 2 + 1 }
                    expected += Float(lanes) * x
                }
                #expect(
                    arguments.sum == expected, "\(kernels.name), \(rounds) rounds: \(arguments.sum), not \(expected)")
            }
        }
    }
}
