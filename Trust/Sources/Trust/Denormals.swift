import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetKernels
import CETNetNetworks
import Foundation

/// How much numbers below the smallest normal one slow a run: CETNet-T on one thread, as it is and with such images or
/// weights. The least of several runs each, in turn.
enum Denormals {
    private static let size = ImageSize(square: 224)
    private static let rounds = 15
    private static let allowed = 1.2

    static func run() throws -> Bool {
        let pixels = (0..<3 * size.area).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
        let tiny = pixels.map { $0 * Float.leastNormalMagnitude * 0.01 }
        let network = try Network(ModelConfiguration(variant: "cetnet-t"))
        let plain = try Subject(network, pixels)
        let subjects = [plain, try Subject(network, tiny), try Subject(network, denormalWeights: true, pixels)]
        for _ in 0..<rounds { for subject in subjects { try subject.measure() } }
        print(String(format: "normal numbers      %7.2f ms", plain.least * 1e3))
        var isFast = true
        for (name, subject) in zip(["denormal images ", "denormal weights"], subjects.dropFirst()) {
            let ratio = subject.least / plain.least
            isFast = isFast && ratio <= allowed
            let figures = String(format: "%7.2f ms, %.3f times (at most %.1f)", subject.least * 1e3, ratio, allowed)
            print("\(name)    \(figures)")
        }
        let loop = additions(of: Float.leastNormalMagnitude * 0.01) / additions(of: 1)
        print(String(format: "Without care such numbers take %.1f times as long on this processor.", loop))
        return isFast
    }

    /// A session with its images.
    private final class Subject {
        private let session: Session
        private let pixels: [Float]
        private var logits: [Float]
        private(set) var least = Double.infinity

        init(_ network: Network, denormalWeights: Bool = false, _ pixels: [Float]) throws {
            let frozen = try FrozenNetwork(
                referenceSize: Denormals.size, weights: SmallTensors(network: network, areDenormal: denormalWeights),
                backend: .automatic, precision: .float32, kernels: KernelSet.selected(), threads: 2,
                makeGraph: { network.graph(imageSize: $0) })
            session = try Session(network: frozen, threads: 1)
            self.pixels = pixels
            logits = [Float](repeating: 0, count: network.configuration.numLabels)
        }

        func measure() throws {
            let start = Clock.nanoseconds
            let names = session.network.outputNames
            try pixels.withUnsafeBufferPointer { input in
                try logits.withUnsafeMutableBufferPointer { logits in
                    try session.run(
                        batch: 1, size: Denormals.size, inputs: [input.baseAddress!],
                        outputs: names.map { $0 == "logits" ? logits.baseAddress : nil })
                }
            }
            least = min(least, Double(Clock.nanoseconds - start) * 1e-9)
        }
    }

    /// Seconds for many additions and products with a number.
    @inline(never) private static func additions(of number: Float) -> Double {
        var sums = SIMD8<Float>(repeating: number)
        let numbers = sums * 0.5
        let start = Clock.nanoseconds
        for _ in 0..<20_000_000 { sums = sums * 0.5 + numbers }
        let time = Double(Clock.nanoseconds - start)
        return sums.sum().isNaN ? .nan : time
    }
}

/// Random weights; matrices and convolutions may be of denormal numbers only.
private struct SmallTensors: TensorSource {
    private let tensors: SeededTensors
    private let areDenormal: Bool

    init(network: Network, areDenormal: Bool) {
        tensors = SeededTensors(network: network, seed: 1)
        self.areDenormal = areDenormal
    }

    var sourceName: String { tensors.sourceName }

    func shape(of name: String) -> [Int]? { tensors.shape(of: name) }

    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        try tensors.read(name, into: destination)
        guard areDenormal, shape(of: name)!.count > 1 else { return }
        // By their bits: loading counts such numbers as zero where it computes with them.
        for index in destination.indices {
            destination[index] = Float(bitPattern: destination[index].bitPattern & 0x807F_FFFF)
        }
    }
}
