import Benchmark
import Foundation

/// One call of a kernel, with the memory it works on.
protocol Kernel: AnyObject {
    /// What its speed is told in: ``BenchmarkMetric/gigaflops`` or ``BenchmarkMetric/gigabytes``.
    static var rate: BenchmarkMetric { get }
    /// Floating point operations of a call, or bytes that it reads and writes at least.
    var work: Int { get }
    func run()
    /// Compares what the last run computed with the same in double precision.
    func check() throws(WrongResult)
}

/// A kernel computed something else than it should.
struct WrongResult: Error, CustomStringConvertible {
    let description: String
}

extension BenchmarkMetric {
    /// Billions of floating point operations per second.
    static let gigaflops = custom("GFLOP/s", polarity: .prefersLarger, useScalingFactor: false)
    /// Billions of bytes, read and written, per second.
    static let gigabytes = custom("GB/s", polarity: .prefersLarger, useScalingFactor: false)
}

/// Whether kernels are checked and then timed once only: `CETNET_CHECK=1`, for continuous integration.
private let isCheck = ProcessInfo.processInfo.environment["CETNET_CHECK"] == "1"

/// Registers a kernel: it is made, run and checked first, and only if the result is right its time is measured.
func register<K: Kernel>(_ name: String, _ make: @escaping () throws -> K) {
    Benchmark(
        name,
        configuration: .init(
            metrics: [.wallClock, K.rate], warmupIterations: isCheck ? 0 : 3, maxDuration: .milliseconds(300),
            maxIterations: isCheck ? 1 : 100_000),
        closure: { (benchmark: Benchmark, kernel: K) in
            // Reading a clock takes some tens of nanoseconds, so short calls are repeated.
            let repetitions = max(1, 1_000_000 / kernel.work)
            benchmark.startMeasurement()
            let start = ContinuousClock.now
            for _ in 0..<repetitions { kernel.run() }
            let seconds = start.duration(to: .now) / .seconds(1) / Double(repetitions)
            benchmark.stopMeasurement()
            benchmark.measurement(K.rate, Int((Double(kernel.work) / seconds / 1e9).rounded()))
        },
        setup: {
            let kernel = try make()
            kernel.run()
            do {
                try kernel.check()
            } catch {
                // The benchmark tool would go on and end well.
                FileHandle.standardError.write(Data("Error: \(name) computes something wrong: \(error)\n".utf8))
                exit(1)
            }
            return kernel
        })
}

/// Floats at a cache line's start, zeroed or with noise.
final class Floats {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        self.count = count
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: count)
        pointer.initialize(repeating: 0, count: count)
    }

    /// Numbers in [−scale, scale), signed so that sums cancel.
    convenience init(noise count: Int, seed: UInt64, scale: Float = 1) {
        self.init(count: count)
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            pointer[index] = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31 * scale
        }
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    subscript(range: Range<Int>) -> [Float] {
        Array(UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count))
    }
    var all: [Float] { self[0..<count] }
}

/// Throws unless a value is within a tolerance of what is expected; NaN is not.
func expect(
    _ found: Float, near expected: Double, tolerance: Double, _ what: @autoclosure () -> String
) throws(WrongResult) {
    let difference = abs(Double(found) - expected)
    guard difference <= tolerance else {
        throw WrongResult(description: "\(what()): \(found), expected \(expected) ± \(tolerance)")
    }
}

/// Some of `count` indices, the first and the last among them.
func sample(of count: Int, most: Int = 12) -> [Int] {
    guard count > most else { return Array(0..<count) }
    return (0..<most).map { $0 * (count - 1) / (most - 1) }
}

extension Float {
    /// Relative rounding error of one operation.
    static let roundoff = Double(Float.ulpOfOne) / 2
}
