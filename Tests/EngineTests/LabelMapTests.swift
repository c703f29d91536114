import CETNetEngine
import CETNetGraph
import CETNetKernels
import Foundation
import TestSupport
import Testing

/// Label maps against two resizes and an arg-max in double precision.
@Suite struct LabelMapTests {
    private static let from = ImageSize(height: 9, width: 13)
    private static let through = ImageSize(height: 36, width: 50)

    /// Classes × height × width, and the map's resized twice, height × width × classes.
    private func logits(classes: Int, to: ImageSize) -> (values: [Float], resized: [Double]) {
        var noise = SeededGenerator(seed: UInt64(classes))
        let values = noise.values(classes * Self.from.area, scale: 3)
        let positions = (0..<values.count).map {
            Double(values[$0 % classes * Self.from.area + $0 / classes])
        }
        let interpreter = GraphInterpreter(tensors: [:])
        let once = interpreter.resize(positions, from: Self.from, to: Self.through, channels: classes)
        return (values, interpreter.resize(once, from: Self.through, to: to, channels: classes))
    }

    @Test(arguments: KernelSet.usable.map { Variety(kernels: $0, backend: .automatic) })
    func agreeWithTheirDefinition(_ variety: Variety) throws {
        // Larger, the same, much smaller, and one row.
        for to in [(71, 90), (36, 50), (7, 5), (1, 200)].map(ImageSize.init(height:width:)) {
            for classes in [1, 2, 17, 150] {
                let name = "\(variety.kernels.name) \(classes) classes to \(to)"
                let (values, expected) = logits(classes: classes, to: to)
                let map = LabelMap(
                    from: Self.from, classes: classes, through: Self.through, to: to, kernels: variety.kernels)
                var results: [[Int32]] = []
                for threads in [1, 3] {
                    var labels = [Int32](repeating: -1, count: to.area)
                    try labels.withUnsafeMutableBufferPointer {
                        try map.labels(values, into: $0.baseAddress!, threads: threads)
                    }
                    results.append(labels)
                }
                #expect(results[0] == results[1], "\(name): another result on three threads")
                for (pixel, label) in results[0].enumerated() {
                    let numbers = expected[pixel * classes..<(pixel + 1) * classes]
                    let chosen = numbers[numbers.startIndex + Int(label)]
                    // Sums of at most nine terms below 3.
                    #expect(numbers.max()! - chosen < 1e-5, "\(name): pixel \(pixel) got \(label)")
                }
            }
        }
    }

    @Test func numbersOfSomeRows() throws {
        let (classes, to, rows) = (19, ImageSize(height: 80, width: 70), 3..<78)
        let (values, expected) = logits(classes: classes, to: to)
        let count = rows.count * to.width * classes
        let wanted = Array(expected[rows.lowerBound * to.width * classes..<rows.upperBound * to.width * classes])
        for kernels in KernelSet.usable {
            let map = LabelMap(from: Self.from, classes: classes, through: Self.through, to: to, kernels: kernels)
            var logits = [Float](repeating: .nan, count: count)
            var probabilities = logits
            try logits.withUnsafeMutableBufferPointer {
                try map.logits(values, rows: rows, into: $0.baseAddress!, threads: 2)
            }
            try probabilities.withUnsafeMutableBufferPointer {
                try map.probabilities(values, rows: rows, into: $0.baseAddress!, threads: 2)
            }
            expectClose(logits, wanted.map { Float($0) }, tolerance: 1e-6, "\(kernels.name) logits")
            let softmax = stride(from: 0, to: count, by: classes).flatMap { first in
                let numbers = wanted[first..<first + classes].map { exp($0) }
                let sum = numbers.reduce(0, +)
                return numbers.map { Float($0 / sum) }
            }
            expectClose(probabilities, softmax, tolerance: 2e-6, "\(kernels.name) probabilities")
        }
    }
}
