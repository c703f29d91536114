/// Identifies a value: the output of one node.
public struct ValueID: Sendable, Hashable {
    public let index: Int
}

/// The part of the architecture that a node belongs to, in the paper's words.
public enum Part: String, Sendable, Hashable, CaseIterable {
    /// The image as it comes in.
    case image
    case stem
    case convolutionalEmbedding = "convolutional embedding"
    /// What opens a stage where that is no convolutional embedding: a patch embedding, one strided convolution, or
    /// patch merging.
    case patchEmbedding = "patch embedding"
    case localConvolution = "local convolution"
    case attention
    case mlp = "MLP"
    case head
}

/// One operator of the graph, with the values that it reads. Its output is the value of the same index.
public struct Node: Sendable {
    /// Path of the layer in the model, as in the `state_dict`, for instance `stages.0.blocks.1.attn.qkv`.
    public let name: String
    public let `operator`: Operator
    public let inputs: [ValueID]
    /// The shape of each input.
    public let inputShapes: [TensorShape]
    public let output: ValueID
    public let shape: TensorShape
    public let part: Part
    /// Stage 0 to 3, or `nil` for the stem and the head.
    public let stage: Int?
}

/// A model at one image size: typed operators in execution order, every value with its shape.
public struct Graph: Sendable {
    /// Size of the images that it takes.
    public let imageSize: ImageSize
    public let nodes: [Node]
    /// The output of each stage, before the final norm: the feature maps for detection and segmentation.
    public let features: [ValueID]
    /// The result: 1×1×labels.
    public let logits: ValueID

    public func shape(of value: ValueID) -> TensorShape { nodes[value.index].shape }

    /// Every tensor that a model file has to provide, in execution order, each once.
    public var parameters: [Parameter] { nodes.flatMap(\.operator.parameters) }
}

/// Builds a ``Graph`` in execution order, inferring every shape.
///
/// Shapes that do not fit are mistakes of the network definition, not of its input, and stop the program.
public struct GraphBuilder {
    private var nodes: [Node] = []
    private var features: [ValueID] = []
    private let imageSize: ImageSize

    /// The part and stage that nodes appended from now on belong to.
    public var part: Part = .image
    public var stage: Int?
    /// Epsilon of every LayerNorm appended from now on, where it is not the builder's choice.
    public var layerNormEpsilon: Float?

    /// Starts a graph with the image as its first value.
    public init(imageSize: ImageSize) {
        self.imageSize = imageSize
        _ = append("image", .input, [])
    }

    /// The image: H×W×3.
    public var image: ValueID { ValueID(index: 0) }

    public func shape(of value: ValueID) -> TensorShape { nodes[value.index].shape }

    /// Appends a node and returns its output.
    public mutating func append(_ name: String, _ op: Operator, _ inputs: [ValueID]) -> ValueID {
        let output = ValueID(index: nodes.count)
        let inputShapes = inputs.map(shape(of:))
        nodes.append(
            Node(
                name: name, operator: op, inputs: inputs, inputShapes: inputShapes, output: output,
                shape: inferShape(op, inputShapes, name: name), part: part, stage: stage))
        return output
    }

    /// Marks a value as the feature map of the next stage.
    public mutating func markFeature(_ value: ValueID) { features.append(value) }

    /// The finished graph.
    public func finish(logits: ValueID) -> Graph {
        Graph(imageSize: imageSize, nodes: nodes, features: features, logits: logits)
    }

    private func inferShape(_ op: Operator, _ inputs: [TensorShape], name: String) -> TensorShape {
        func expect(_ count: Int, channels: Int? = nil) {
            precondition(inputs.count == count, "\(name): \(op.name) takes \(count) inputs, not \(inputs.count)")
            if let channels {
                precondition(
                    inputs[0].channels == channels,
                    "\(name): \(op.name) takes \(channels) channels, not \(inputs[0].channels)")
            }
        }
        switch op {
        case .input:
            expect(0)
            return TensorShape(height: imageSize.height, width: imageSize.width, channels: 3)
        case .convolution(let convolution):
            expect(1, channels: convolution.inputChannels)
            let size = convolution.outputSize(inputs[0].size)
            return TensorShape(height: size.height, width: size.width, channels: convolution.outputChannels)
        case .batchNorm(let norm):
            expect(1, channels: norm.channels)
            return inputs[0]
        case .layerNorm(let norm):
            expect(1, channels: norm.channels)
            return inputs[0]
        case .linear(let linear):
            expect(1, channels: linear.inputChannels)
            return inputs[0].with(channels: linear.outputChannels)
        case .activation:
            expect(1)
            return inputs[0]
        case .add:
            expect(2)
            precondition(inputs[0] == inputs[1], "\(name): add of \(inputs[0]) and \(inputs[1])")
            return inputs[0]
        case .windowAttention(let attention):
            expect(1, channels: 3 * attention.channels)
            return inputs[0].with(channels: attention.channels)
        case .globalAttention(let attention):
            precondition(
                inputs.map(\.channels) == attention.inputChannels(count: inputs.count),
                "\(name): global attention of \(attention.channels) channels takes queries, keys and values, "
                    + "not \(inputs)")
            precondition(inputs.dropFirst().allSatisfy { $0.tokens == inputs[1].tokens }, "\(name): \(inputs)")
            return inputs[0]
        case .crossShapedAttention(let attention):
            expect(1, channels: 3 * attention.channels)
            precondition(inputs[0].classTokens == 0, "\(name): stripes have no place for a class token")
            return inputs[0].with(channels: attention.channels)
        case .appendClassToken(let token):
            expect(1, channels: token.channels)
            precondition(inputs[0].classTokens == 0, "\(name): there is a class token already")
            return TensorShape(
                height: inputs[0].height, width: inputs[0].width, channels: inputs[0].channels, classTokens: 1)
        case .carryClassToken:
            expect(2)
            precondition(
                inputs[0].classTokens == 0 && inputs[1].classTokens == 1 && inputs[0].channels == inputs[1].channels,
                "\(name): class token of \(inputs[1]) behind \(inputs[0])")
            return TensorShape(
                height: inputs[0].height, width: inputs[0].width, channels: inputs[0].channels, classTokens: 1)
        case .takeClassToken:
            expect(1)
            precondition(inputs[0].classTokens == 1, "\(name): there is no class token")
            return TensorShape(height: 1, width: 1, channels: inputs[0].channels)
        case .positionEmbedding(let positions):
            expect(1, channels: positions.channels)
            precondition(inputs[0].classTokens == positions.classTokens, "\(name): \(inputs[0])")
            return inputs[0]
        case .concatenation:
            precondition(inputs.count >= 2, "\(name): concatenation of \(inputs.count) inputs")
            precondition(
                inputs.allSatisfy { $0.size == inputs[0].size }, "\(name): concatenation of maps of sizes \(inputs)")
            return inputs[0].with(channels: inputs.reduce(0) { $0 + $1.channels })
        case .channelSlice(let channels):
            expect(1)
            precondition(
                !channels.isEmpty && channels.lowerBound >= 0 && channels.upperBound <= inputs[0].channels,
                "\(name): channels \(channels) of \(inputs[0].channels)")
            return inputs[0].with(channels: channels.count)
        case .channelShuffle:
            expect(2)
            precondition(inputs[0] == inputs[1], "\(name): channel shuffle of \(inputs[0]) and \(inputs[1])")
            return inputs[0].with(channels: 2 * inputs[0].channels)
        case .channelScale:
            expect(2)
            precondition(
                inputs[1] == TensorShape(height: 1, width: 1, channels: inputs[0].channels),
                "\(name): channel scale of \(inputs[0]) by \(inputs[1])")
            return inputs[0]
        case .patchGathering:
            expect(1)
            return TensorShape(
                height: (inputs[0].height + 1) / 2, width: (inputs[0].width + 1) / 2, channels: 4 * inputs[0].channels)
        case .meanOverTokens:
            expect(1)
            return TensorShape(height: 1, width: 1, channels: inputs[0].channels)
        }
    }
}
