import Benchmark
import CETNetEngine
import CETNetKernels

/// A linear layer: C = A · Wᵀ + bias, with weights frozen for the engine's own GEMM or for OpenBLAS.
final class GEMM: Kernel {
    static func name(_ shape: Shapes.Product, by library: String) -> String {
        "GEMM \(shape.rows)x\(shape.columns)x\(shape.depth), \(library)"
    }

    private let shape: Shapes.Product
    private let kernels: KernelSet
    private let a: Floats
    private let w: Floats
    private let bias: Floats
    private let c: Floats
    private let storage: Floats
    private let weights: PackedMatrix

    init(_ shape: Shapes.Product, _ format: WeightFormat, _ kernels: KernelSet) {
        self.shape = shape
        self.kernels = kernels
        a = Floats(noise: shape.rows * shape.depth, seed: 1)
        w = Floats(noise: shape.columns * shape.depth, seed: 2)
        bias = Floats(noise: shape.columns, seed: 3)
        c = Floats(count: shape.rows * shape.columns)
        weights = PackedMatrix(format: format, columns: shape.columns, depth: shape.depth)
        storage = Floats(count: weights.byteCount(kernels) / MemoryLayout<Float>.stride)
        weights.pack(w.pointer, bias: bias.pointer, into: storage.pointer, kernels: kernels)
    }

    static let rate = BenchmarkMetric.gigaflops
    var work: Int { 2 * shape.rows * shape.columns * shape.depth }

    func run() {
        weights.multiply(
            Rows(a.pointer, stride: shape.depth), rows: shape.rows, by: storage.pointer,
            into: Rows(c.pointer, stride: shape.columns), kernels: kernels)
    }

    func check() throws(WrongResult) {
        for row in sample(of: shape.rows) {
            for column in 0..<shape.columns {
                var sum = Double(bias.pointer[column])
                var magnitude = abs(sum)
                for k in 0..<shape.depth {
                    let product =
                        Double(a.pointer[row * shape.depth + k]) * Double(w.pointer[column * shape.depth + k])
                    sum += product
                    magnitude += abs(product)
                }
                // Any order of adding depth + 1 numbers errs by at most this.
                try expect(
                    c.pointer[row * shape.columns + column], near: sum,
                    tolerance: Double(shape.depth + 1) * Float.roundoff * magnitude, "row \(row), column \(column)")
            }
        }
    }
}
