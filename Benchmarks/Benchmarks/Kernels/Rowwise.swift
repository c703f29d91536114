import Benchmark
import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels

/// LayerNorm of a whole map, with scale and shift.
final class LayerNorm: Kernel {
    static func name(_ shape: Shapes.Normalization) -> String { "LayerNorm \(shape.rows)x\(shape.channels)" }

    private static let epsilon: Float = 1e-5
    private let shape: Shapes.Normalization
    private let kernels: KernelSet
    private let x: Floats
    private let weight: Floats
    private let bias: Floats
    private let y: Floats

    init(_ shape: Shapes.Normalization, _ kernels: KernelSet) {
        self.shape = shape
        self.kernels = kernels
        x = Floats(noise: shape.rows * shape.channels, seed: 1)
        weight = Floats(noise: shape.channels, seed: 2)
        bias = Floats(noise: shape.channels, seed: 3)
        y = Floats(count: x.count)
    }

    static let rate = BenchmarkMetric.gigabytes
    var work: Int { 4 * (x.count + y.count) }

    func run() {
        kernels.layerNorm(
            Rows(x.pointer, stride: shape.channels), rows: shape.rows, channels: shape.channels,
            epsilon: Self.epsilon, weight: weight.pointer, bias: bias.pointer,
            into: Rows(y.pointer, stride: shape.channels))
    }

    func check() throws(WrongResult) {
        for row in sample(of: shape.rows) {
            let start = row * shape.channels
            let expected = Reference.layerNorm(
                x[start..<(start + shape.channels)], epsilon: Double(Self.epsilon), weight: weight.all, bias: bias.all)
            // Noise in [−1, 1) has a standard deviation of 0.58, so normalised values are below 2. Mean and variance
            // are sums of as many terms as there are channels, in whatever order.
            let tolerance = 2 * Double(shape.channels + 8) * Float.roundoff
            for channel in 0..<shape.channels {
                try expect(
                    y.pointer[start + channel], near: expected[channel], tolerance: tolerance,
                    "row \(row), channel \(channel)")
            }
        }
    }
}

/// Softmax of the scores of one window and head, in place on a fresh copy.
final class Softmax: Kernel {
    static let name = "softmax \(tokens)x\(tokens)"
    private static let tokens = 49
    private let kernels: KernelSet
    private let stride: Int
    private let original: Floats
    private let scores: Floats

    init(_ kernels: KernelSet) {
        self.kernels = kernels
        stride = (Self.tokens + kernels.lanes - 1) / kernels.lanes * kernels.lanes
        original = Floats(noise: Self.tokens * stride, seed: 1, scale: 4)
        scores = Floats(count: original.count)
    }

    static let rate = BenchmarkMetric.gigabytes
    var work: Int { 16 * Self.tokens * Self.tokens }

    func run() {
        scores.pointer.update(from: original.pointer, count: original.count)
        var arguments = cetnet_softmax(
            scores: scores.pointer, stride: stride, rows: Self.tokens, columns: Self.tokens, mask: nil, mask_stride: 0)
        kernels.functions.pointee.softmax(&arguments)
    }

    func check() throws(WrongResult) {
        for row in 0..<Self.tokens {
            let start = row * stride
            let expected = Reference.softmax(original[start..<(start + Self.tokens)].map(Double.init))
            for column in 0..<Self.tokens {
                // Scores differ by at most 8, whose rounding exp takes over; then exp, sum and division.
                try expect(
                    scores.pointer[start + column], near: expected[column],
                    tolerance: Double(8 + 4 + Self.tokens + 2) * Float.roundoff * expected[column],
                    "row \(row), column \(column)")
            }
        }
    }
}

/// An activation on hidden tokens of the third stage.
final class Pointwise: Kernel {
    static func name(_ activation: Activation) -> String {
        "\(activation == .gelu ? "GELU" : "QuickGELU") \(rows)x\(columns)"
    }

    private static let (rows, columns) = (196, 1024)
    private let activation: Activation
    private let kernels: KernelSet
    private let x: Floats
    private let y: Floats

    init(_ activation: Activation, _ kernels: KernelSet) {
        self.activation = activation
        self.kernels = kernels
        x = Floats(noise: Self.rows * Self.columns, seed: 1, scale: 6)
        y = Floats(count: x.count)
    }

    static let rate = BenchmarkMetric.gigabytes
    var work: Int { 8 * x.count }

    func run() {
        kernels.pointwise(
            Rows(x.pointer, stride: Self.columns), rows: Self.rows, columns: Self.columns, scale: nil, residual: nil,
            activation: activation, into: Rows(y.pointer, stride: Self.columns))
    }

    func check() throws(WrongResult) {
        for index in 0..<x.count {
            let value = Double(x.pointer[index])
            // The error that simd/functions.h promises; QuickGELU's exponential adds its argument's rounding.
            try expect(
                y.pointer[index], near: Reference.activation(activation, value),
                tolerance: (activation == .gelu ? 2e-7 : 1e-6) * max(1, abs(value)), "at \(value)")
        }
    }
}
