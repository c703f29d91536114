import Benchmark
import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels

/// All heads of one window: softmax(Q · Kᵀ + bias) · V.
final class Attention: Kernel {
    static func name(_ attention: WindowAttention) -> String {
        let tokens = attention.windowSize * attention.windowSize
        return "attention of \(tokens) tokens, \(attention.heads) heads of \(attention.headDimension)"
    }

    private let attention: WindowAttention
    private let kernels: KernelSet
    private let tokens: Int
    private let scoreStride: Int
    private let qkv: Floats
    private let bias: Floats
    private let y: Floats
    private let scratch: Floats
    private let rows: UnsafeMutablePointer<UnsafePointer<Float>?>
    private let outputs: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

    init(_ attention: WindowAttention, _ kernels: KernelSet) {
        self.attention = attention
        self.kernels = kernels
        tokens = attention.windowSize * attention.windowSize
        let channels = attention.channels
        scoreStride = kernels.packedColumns(tokens)
        qkv = Floats(noise: tokens * 3 * channels, seed: 1)
        bias = Floats(count: attention.heads * tokens * scoreStride)
        let noise = Floats(noise: bias.count, seed: 2)
        for row in 0..<(attention.heads * tokens) {
            (bias.pointer + row * scoreStride).update(from: noise.pointer + row * scoreStride, count: tokens)
        }
        y = Floats(count: tokens * channels)
        scratch = Floats(
            count: cetnet_window_attention_scratch(tokens, attention.headDimension, kernels.panelColumns))
        rows = .allocate(capacity: tokens)
        outputs = .allocate(capacity: tokens)
        for token in 0..<tokens {
            rows.advanced(by: token).initialize(to: UnsafePointer(qkv.pointer + token * 3 * channels))
            outputs.advanced(by: token).initialize(to: y.pointer + token * channels)
        }
    }

    deinit {
        rows.deallocate()
        outputs.deallocate()
    }

    static let rate = BenchmarkMetric.gigaflops
    var work: Int { 4 * tokens * tokens * attention.channels }

    func run() {
        for head in 0..<attention.heads {
            let channel = head * attention.headDimension
            let arguments = cetnet_window_attention(
                tokens: tokens, head_dimension: attention.headDimension, rows: rows, query_offset: channel,
                key_offset: attention.channels + channel, value_offset: 2 * attention.channels + channel,
                bias: bias.pointer + head * tokens * scoreStride, mask: nil, score_stride: scoreStride,
                outputs: outputs, output_offset: channel, scratch: scratch.pointer)
            kernels.windowAttention(arguments, .panels)
        }
    }

    func check() throws(WrongResult) {
        let (channels, dimension) = (attention.channels, attention.headDimension)
        for head in 0..<attention.heads {
            for query in 0..<tokens {
                let q = qkv.pointer + query * 3 * channels + head * dimension
                let scores = (0..<tokens).map { key in
                    let k = qkv.pointer + key * 3 * channels + channels + head * dimension
                    let sum = (0..<dimension).reduce(0) { $0 + Double(q[$1]) * Double(k[$1]) }
                    return sum + Double(bias.pointer[(head * tokens + query) * scoreStride + key])
                }
                let weights = Reference.softmax(scores)
                for channel in 0..<dimension {
                    let expected = (0..<tokens).reduce(0) { sum, key in
                        sum + weights[key]
                            * Double(qkv.pointer[key * 3 * channels + 2 * channels + head * dimension + channel])
                    }
                    // A score is a sum of dimension + 1 products below 1 and errs by at most (dimension + 1)² · u,
                    // which a weight takes over as a relative error; exp, the sum over tokens and the division add
                    // some u each. Values are below 1 and weights sum to 1, so twice that covers the result.
                    let terms = Double(dimension + 1)
                    let tolerance = 2 * (terms * terms + 2 * Double(tokens) + 8) * Float.roundoff
                    try expect(
                        y.pointer[query * channels + head * dimension + channel], near: expected,
                        tolerance: tolerance, "head \(head), token \(query), channel \(channel)")
                }
            }
        }
    }
}
