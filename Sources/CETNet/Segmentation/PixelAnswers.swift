import CETNetEngine
import CETNetMemory
import Foundation

/// What becomes of the logits of an image's pixels.
protocol PixelAnswers: Sendable {
    /// Takes the logits of one pass over the whole image, (labels, height, width), which `map` resizes.
    func take(_ logits: UnsafePointer<Float>, _ map: LabelMap, threads: Int) throws(OutOfMemoryError)

    /// Takes the logits, (pixels, labels), of pixels side by side in row `y`, beginning with column `x`. May be called
    /// from several threads at once, for a pixel once.
    func take(_ logits: UnsafePointer<Float>, pixels: Int, x: Int, y: Int)
}

/// The label of each pixel: the first that has the largest logit.
final class PixelLabels: PixelAnswers, @unchecked Sendable {
    // Each pixel is written once, by whoever has its logits.
    private let width: Int
    private let labels: Int
    private let indices: UnsafeMutableBufferPointer<Int32>

    init(_ indices: UnsafeMutableBufferPointer<Int32>, width: Int, labels: Int) {
        (self.indices, self.width, self.labels) = (indices, width, labels)
    }

    func take(_ logits: UnsafePointer<Float>, _ map: LabelMap, threads: Int) throws(OutOfMemoryError) {
        try map.labels(logits, into: indices.baseAddress!, threads: threads)
    }

    func take(_ logits: UnsafePointer<Float>, pixels: Int, x: Int, y: Int) {
        for pixel in 0..<pixels {
            let logits = logits + pixel * labels
            var best = 0
            for label in 1..<max(1, labels) where logits[label] > logits[best] { best = label }
            indices[y * width + x + pixel] = Int32(best)
        }
    }
}

/// The probability of each label at each pixel, (labels, height, width): softmax over the labels.
final class PixelProbabilities: PixelAnswers, @unchecked Sendable {
    // Each pixel is written once, by whoever has its logits.
    private let size: ImageSize
    private let labels: Int
    private let values: UnsafeMutableBufferPointer<Float>

    init(_ values: UnsafeMutableBufferPointer<Float>, size: ImageSize, labels: Int) {
        (self.values, self.size, self.labels) = (values, size, labels)
    }

    func take(_ logits: UnsafePointer<Float>, _ map: LabelMap, threads: Int) throws(OutOfMemoryError) {
        // Some rows at a time, which come with the labels innermost.
        let most = max(1, min(size.height, (1 << 22) / (size.width * labels)))
        var band = try [Float](0, count: most * size.width * labels)
        for first in stride(from: 0, to: size.height, by: most) {
            let rows = first..<min(first + most, size.height)
            let result = band.withUnsafeMutableBufferPointer { band in
                Result { () throws(OutOfMemoryError) in
                    try map.probabilities(logits, rows: rows, into: band.baseAddress!, threads: threads)
                    for pixel in 0..<rows.count * size.width {
                        for label in 0..<labels {
                            values[label * size.area + first * size.width + pixel] = band[pixel * labels + label]
                        }
                    }
                }
            }
            try result.get()
        }
    }

    func take(_ logits: UnsafePointer<Float>, pixels: Int, x: Int, y: Int) {
        for pixel in 0..<pixels {
            let logits = UnsafeBufferPointer(start: logits + pixel * labels, count: labels)
            let largest = logits.max() ?? 0
            let sum = logits.reduce(0) { $0 + exp(Double($1) - Double(largest)) }
            for label in 0..<labels {
                values[label * size.area + y * size.width + x + pixel] =
                    Float(exp(Double(logits[label]) - Double(largest)) / sum)
            }
        }
    }
}
