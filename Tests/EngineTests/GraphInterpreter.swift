import CETNetCheckpoint
import CETNetGraph
import Foundation

/// Tensors in memory, by name.
struct MemoryTensors: TensorSource {
    var tensors: [String: [Float]]

    var sourceName: String { "memory" }

    func shape(of name: String) -> [Int]? { tensors[name].map { [$0.count] } }

    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        guard let values = tensors[name] else { throw CheckpointError.missingTensor(file: sourceName, tensor: name) }
        _ = destination.update(fromContentsOf: values)
    }
}

/// Computes a graph node by node in double precision, as the operators' definitions say.
struct GraphInterpreter {
    let tensors: [String: [Float]]

    /// Every value as tokens × channels: the map's, then the class token.
    /// - Parameter inputs: by name, each channels × height × width.
    func run(_ graph: Graph, inputs: [String: [Float]]) -> [[Double]] {
        var values: [[Double]] = []
        for node in graph.nodes {
            let operands = node.inputs.map { values[$0.index] }
            values.append(compute(node, operands, node.inputShapes, inputs))
        }
        return values
    }

    func tensor(_ parameter: Parameter) -> [Double] { tensors[parameter.name]!.map(Double.init) }

    private func compute(
        _ node: Node, _ inputs: [[Double]], _ shapes: [TensorShape], _ outside: [String: [Float]]
    ) -> [Double] {
        let shape = node.shape
        /// One number per position and channel of the output.
        func each(_ element: (_ position: Int, _ channel: Int) -> Double) -> [Double] {
            (0..<shape.count).map { element($0 / shape.channels, $0 % shape.channels) }
        }
        switch node.operator {
        case .input(let input):
            return each { Double(outside[input.label]![$1 * shape.tokens + $0]) }
        case .convolution(let convolution):
            return convolve(convolution, inputs[0], shapes[0], output: shape)
        case .batchNorm(let norm):
            let (scale, shift) = (tensor(norm.weight), tensor(norm.bias))
            let (mean, variance) = (tensor(norm.runningMean), tensor(norm.runningVariance))
            return each {
                (inputs[0][$0 * shape.channels + $1] - mean[$1]) / (variance[$1] + Double(norm.epsilon)).squareRoot()
                    * scale[$1] + shift[$1]
            }
        case .layerNorm(let norm):
            let (scale, shift) = (tensor(norm.weight), tensor(norm.bias))
            return (0..<shape.tokens).flatMap { token in
                let x = inputs[0][token * shape.channels..<(token + 1) * shape.channels]
                let mean = x.reduce(0, +) / Double(x.count)
                let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
                return zip(x, zip(scale, shift)).map {
                    ($0 - mean) / (variance + Double(norm.epsilon)).squareRoot() * $1.0 + $1.1
                }
            }
        case .linear(let linear):
            let weights = tensor(linear.weight)
            let bias = linear.bias.map(tensor)
            return each { token, output in
                (0..<linear.inputChannels).reduce(bias?[output] ?? 0) {
                    $0 + inputs[0][token * linear.inputChannels + $1] * weights[output * linear.inputChannels + $1]
                }
            }
        case .activation(let activation):
            return inputs[0].map { Self.activate(activation, $0) }
        case .add:
            return zip(inputs[0], inputs[1]).map { $0 + $1 }
        case .concatenation:
            return (0..<shape.tokens).flatMap { token in
                zip(inputs, shapes).flatMap { $0[token * $1.channels..<(token + 1) * $1.channels] }
            }
        case .channelSlice(let channels):
            return each { inputs[0][$0 * shapes[0].channels + channels.lowerBound + $1] }
        case .channelShuffle:
            return zip(inputs[0], inputs[1]).flatMap { [$0, $1] }
        case .channelScale:
            return each { inputs[0][$0 * shape.channels + $1] * inputs[1][$1] }
        case .patchGathering:
            let from = shapes[0]
            return each { position, channel in
                let (quarter, c) = (channel / from.channels, channel % from.channels)
                let row = 2 * (position / shape.width) + quarter % 2
                let column = 2 * (position % shape.width) + quarter / 2
                guard row < from.height, column < from.width else { return 0 }
                return inputs[0][(row * from.width + column) * from.channels + c]
            }
        case .meanOverTokens:
            let from = shapes[0]
            return each { _, channel in
                (0..<from.tokens).reduce(0) { $0 + inputs[0][$1 * from.channels + channel] } / Double(from.tokens)
            }
        case .adaptiveAveragePooling(let pooling):
            let from = shapes[0]
            /// First and last position of a bin.
            func bin(_ index: Int, _ length: Int) -> ClosedRange<Int> {
                let (first, end) = (Double(index * length), Double((index + 1) * length))
                return Int((first / Double(pooling.side)).rounded(.down))...Int(
                    (end / Double(pooling.side)).rounded(.up)) - 1
            }
            return each { position, channel in
                let rows = bin(position / pooling.side, from.height)
                let columns = bin(position % pooling.side, from.width)
                let sum = rows.reduce(0.0) { sum, row in
                    columns.reduce(sum) { $0 + inputs[0][(row * from.width + $1) * from.channels + channel] }
                }
                return sum / Double(rows.count * columns.count)
            }
        case .bilinearResize(let resize):
            return self.resize(inputs[0], from: shapes[0].size, to: resize.size, channels: shape.channels)
        case .zeroPadding:
            return each { position, channel in
                let (row, column) = (position / shape.width, position % shape.width)
                guard row < shapes[0].height, column < shapes[0].width else { return 0 }
                return inputs[0][(row * shapes[0].width + column) * shape.channels + channel]
            }
        case .windowAttention(let attention):
            return attend(attention, inputs[0], shapes[0])
        case .globalAttention(let attention):
            return attend(attention, inputs, shapes)
        case .crossShapedAttention(let attention):
            return attend(attention, inputs[0], shapes[0])
        case .appendClassToken(let token):
            return inputs[0] + tensor(token.parameter)
        case .carryClassToken:
            return inputs[0] + inputs[1].suffix(shape.channels)
        case .takeClassToken:
            return Array(inputs[0].suffix(shape.channels))
        case .positionEmbedding(let positions):
            return zip(inputs[0], self.positions(positions, size: shape.size)).map { $0 + $1 }
        }
    }

    private func convolve(
        _ convolution: Convolution, _ x: [Double], _ from: TensorShape, output: TensorShape
    ) -> [Double] {
        let weights = tensor(convolution.weight)
        let bias = convolution.bias.map(tensor)
        let (kernel, depth) = (convolution.kernel, convolution.inputChannels / convolution.groups)
        return (0..<output.count).map { index in
            let (position, channel) = (index / output.channels, index % output.channels)
            let first = channel / (output.channels / convolution.groups) * depth
            var sum = bias?[channel] ?? 0
            for i in 0..<kernel {
                for j in 0..<kernel {
                    let row = position / output.width * convolution.stride - convolution.padding + i
                    let column = position % output.width * convolution.stride - convolution.padding + j
                    guard row >= 0, column >= 0, row < from.height, column < from.width else { continue }
                    for c in 0..<depth {
                        sum +=
                            x[(row * from.width + column) * from.channels + first + c]
                            * weights[((channel * depth + c) * kernel + i) * kernel + j]
                    }
                }
            }
            return sum
        }
    }

    private static func activate(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .gelu: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case .quickGELU: x / (1 + exp(-1.702 * x))
        case .relu: max(x, 0)
        case .sigmoid: 1 / (1 + exp(-x))
        }
    }
}
