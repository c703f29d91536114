import CETNetKernels
import Foundation

/// Formulas in double precision, written as in the literature.
enum Reference {
    static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }
    static func quickGELU(_ x: Double) -> Double { x / (1 + exp(-1.702 * x)) }

    static func activation(_ kind: ActivationKind, _ x: Double) -> Double {
        switch kind {
        case .none: x
        case .gelu: gelu(x)
        case .quickGELU: quickGELU(x)
        case .relu: max(x, 0)
        case .sigmoid: 1 / (1 + exp(-x))
        }
    }

    static func softmax(_ x: [Double]) -> [Double] {
        let largest = x.max()!
        let e = x.map { exp($0 - largest) }
        let sum = e.reduce(0, +)
        return e.map { $0 / sum }
    }

    static func layerNorm(_ x: [Float], epsilon: Double, weight: [Float]?, bias: [Float]?) -> [Double] {
        let mean = x.reduce(0) { $0 + Double($1) } / Double(x.count)
        let variance = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count)
        return x.indices.map {
            (Double(x[$0]) - mean) / (variance + epsilon).squareRoot() * Double(weight?[$0] ?? 1)
                + Double(bias?[$0] ?? 0)
        }
    }

    /// Depthwise convolution of a map with channels innermost; weights are (row, column, channel).
    static func depthwise(
        _ x: [Float], weights: [Float], bias: [Float], _ g: ConvolutionGeometry, activation: ActivationKind
    ) -> [Double] {
        var y: [Double] = []
        for row in 0..<g.outputHeight {
            for column in 0..<g.outputWidth {
                for channel in 0..<g.channels {
                    var sum = Double(bias[channel])
                    for i in 0..<g.kernel {
                        for j in 0..<g.kernel {
                            let (r, c) = (row * g.stride - g.padding + i, column * g.stride - g.padding + j)
                            guard r >= 0, c >= 0, r < g.inputHeight, c < g.inputWidth else { continue }
                            sum +=
                                Double(x[(r * g.inputWidth + c) * g.channels + channel])
                                * Double(weights[(i * g.kernel + j) * g.channels + channel])
                        }
                    }
                    y.append(Reference.activation(activation, sum))
                }
            }
        }
        return y
    }

    /// Receptive fields of every output position, in the order (row, column, channel).
    static func im2col(_ x: [Float], _ g: ConvolutionGeometry) -> [[Float]] {
        (0..<g.outputHeight * g.outputWidth).map { position in
            var field: [Float] = []
            for i in 0..<g.kernel {
                for j in 0..<g.kernel {
                    let r = position / g.outputWidth * g.stride - g.padding + i
                    let c = position % g.outputWidth * g.stride - g.padding + j
                    for channel in 0..<g.channels {
                        let inside = r >= 0 && c >= 0 && r < g.inputHeight && c < g.inputWidth
                        field.append(inside ? x[(r * g.inputWidth + c) * g.channels + channel] : 0)
                    }
                }
            }
            return field
        }
    }
}
