import Benchmark
import CETNetEngine
import CETNetGraph
import CETNetKernels

/// Gathers the receptive fields of a whole map, some rows of the output at a time as the engine does it.
final class Im2col: Kernel {
    static func name(_ layer: Shapes.Layer) -> String {
        let g = layer.geometry
        return "im2col \(g.kernel)x\(g.kernel) stride \(g.stride) of \(g.size)x\(g.channels)"
    }

    /// Output positions that are gathered together: what stays in the second-level cache.
    private static let block = 196

    private let geometry: ConvolutionGeometry
    private let kernels: KernelSet
    private let x: Floats
    private let columns: Floats
    private let stride: Int

    init(_ layer: Shapes.Layer, _ kernels: KernelSet) {
        geometry = layer.geometry.operators
        self.kernels = kernels
        x = Floats(noise: geometry.inputHeight * geometry.inputWidth * geometry.channels, seed: 1)
        stride = (geometry.depth + 15) / 16 * 16 + 16
        columns = Floats(count: Self.block * stride)
    }

    private var positions: Int { geometry.outputHeight * geometry.outputWidth }

    static let rate = BenchmarkMetric.gigabytes
    var work: Int { 4 * (x.count + positions * geometry.depth) }

    func run() {
        for first in Swift.stride(from: 0, to: positions, by: Self.block) {
            gather(first..<min(first + Self.block, positions))
        }
    }

    private func gather(_ range: Range<Int>) {
        geometry.im2col(
            Rows(x.pointer, stride: geometry.channels), positions: range, into: Rows(columns.pointer, stride: stride),
            kernels: kernels)
    }

    func check() throws(WrongResult) {
        let expected = Reference.im2col(x.all, geometry)
        for first in Swift.stride(from: 0, to: positions, by: Self.block) {
            let range = first..<min(first + Self.block, positions)
            gather(range)
            for position in range {
                let start = (position - first) * stride
                guard columns[start..<(start + geometry.depth)] == expected[position] else {
                    throw WrongResult(description: "the receptive field of output \(position) is another")
                }
            }
        }
    }
}

/// A depthwise convolution of a whole map, with bias, and with GELU where the network has it.
final class Depthwise: Kernel {
    static func name(_ layer: Shapes.Layer) -> String {
        let g = layer.geometry
        return "depthwise \(g.kernel)x\(g.kernel) stride \(g.stride) of \(g.size)x\(g.channels)"
            + (layer.activation == nil ? "" : ", GELU")
    }

    private let geometry: ConvolutionGeometry
    private let activation: Activation?
    private let kernels: KernelSet
    private let x: Floats
    private let weights: Floats
    private let bias: Floats
    private let y: Floats

    init(_ layer: Shapes.Layer, _ kernels: KernelSet) {
        geometry = layer.geometry.operators
        activation = layer.activation
        self.kernels = kernels
        x = Floats(noise: geometry.inputHeight * geometry.inputWidth * geometry.channels, seed: 1)
        weights = Floats(noise: geometry.depth, seed: 2)
        bias = Floats(noise: geometry.channels, seed: 3)
        y = Floats(count: geometry.outputHeight * geometry.outputWidth * geometry.channels)
    }

    static let rate = BenchmarkMetric.gigaflops
    var work: Int { 2 * y.count * geometry.kernel * geometry.kernel }

    func run() {
        geometry.depthwise(
            Rows(x.pointer, stride: geometry.channels), weights: weights.pointer, bias: bias.pointer,
            activation: activation, outputRows: 0..<geometry.outputHeight,
            into: Rows(y.pointer, stride: geometry.channels), kernels: kernels)
    }

    func check() throws(WrongResult) {
        let expected = Reference.depthwise(
            x.all, weights: weights.all, bias: bias.all, geometry, activation: activation)
        // Sums of kernel² products and a bias, each at most 1; GELU's slope is below 1.13, and its own error 2e-7 of
        // what is at most as large as the sum.
        let terms = Double(geometry.kernel * geometry.kernel + 1)
        let tolerance = 1.13 * terms * terms * Float.roundoff + 2e-7 * terms
        for (index, value) in expected.enumerated() {
            try expect(y.pointer[index], near: value, tolerance: tolerance, "output \(index)")
        }
    }
}
