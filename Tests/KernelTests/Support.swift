import CETNetEngine
import CETNetGraph
import CETNetKernels
import Testing

/// Memory with a guard behind (and in front of) what a kernel may touch: reads of it turn results into NaN, writes of
/// it are found by ``checkGuards(_:)``.
final class GuardedBuffer {
    private static let guardCount = 64
    private let memory: UnsafeMutableBufferPointer<Float>
    let count: Int

    init(_ values: [Float]) {
        count = values.count
        memory = .allocate(capacity: count + 2 * Self.guardCount)
        memory.initialize(repeating: .nan)
        for (index, value) in values.enumerated() { memory[Self.guardCount + index] = value }
    }

    convenience init(count: Int) { self.init([Float](repeating: .nan, count: count)) }

    deinit { memory.deallocate() }

    var pointer: UnsafeMutablePointer<Float> { memory.baseAddress! + Self.guardCount }
    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    func checkGuards(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let front = memory[..<Self.guardCount].allSatisfy(\.isNaN)
        let back = memory[(Self.guardCount + count)...].allSatisfy(\.isNaN)
        #expect(front && back, "\(what) wrote outside of its buffer", sourceLocation: sourceLocation)
    }
}

/// Compares with a reference in double precision; NaN anywhere fails.
func expectClose(
    _ actual: [Float], _ expected: [Double], tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what): \(actual.count) values instead of \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    for index in actual.indices where !(abs(Double(actual[index]) - expected[index]) <= tolerance) {
        Issue.record(
            "\(what): element \(index) is \(actual[index]), expected \(expected[index]) ± \(tolerance)",
            sourceLocation: sourceLocation)
        return
    }
}

/// Rows of `rows` numbers with `gap` NaN behind each.
func spread(_ values: [Float], rows: Int, gap: Int) -> [Float] {
    stride(from: 0, to: values.count, by: rows).flatMap {
        values[$0..<$0 + rows] + [Float](repeating: .nan, count: gap)
    }
}

/// What ``spread(_:rows:gap:)`` put together: the rows, and what is between them.
func gathered(_ values: [Float], rows: Int, gap: Int) -> (rows: [Float], between: [Float]) {
    let starts = stride(from: 0, to: values.count, by: rows + gap)
    return (
        starts.flatMap { values[$0..<$0 + rows] }, starts.flatMap { values[$0 + rows..<$0 + rows + gap] }
    )
}

/// Distance of two neighbouring float32 numbers at 1.
let epsilon = Double(Float.ulpOfOne)

/// Error of a float32 sum of `count` products below `magnitude`: one rounding per step, twice over for safety.
func sumTolerance(count: Int, magnitude: Double) -> Double { 2 * epsilon * Double(count + 4) * magnitude }

/// Every tier that this machine has; tests are arguments of this.
let tiers = KernelSet.usable.map(Tier.init)

struct Tier: CustomTestStringConvertible, Sendable {
    let kernels: KernelSet
    init(_ kernels: KernelSet) { self.kernels = kernels }
    var testDescription: String { kernels.name }
}
