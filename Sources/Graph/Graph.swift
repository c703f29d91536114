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

extension Node {
    /// Trained scalars that belong to this node: weights, biases and scales, not running statistics.
    public var parameterCount: Int {
        self.operator.parameters.filter(\.isTrained).reduce(0) { $0 + $1.count }
    }

    /// Multiply-adds for one image: convolutions, linear layers and the two products of attention.
    ///
    /// This is what vision papers print as "FLOPs"; one multiply-add is two floating point operations. Windows are
    /// counted as H·W tokens with w² keys each: what padding adds is computed but not counted, as in the paper.
    public var multiplyAdds: Int { self.operator.definition.multiplyAdds(inputs: inputShapes, output: shape) }
}

/// A model at one image size: typed operators in execution order, every value with its shape.
public struct Graph: Sendable {
    /// A value by the name that whoever runs the graph knows it by.
    public struct Output: Sendable {
        public let name: String
        public let value: ValueID
        /// Whether it is the value's class token alone; else it is the value's map without it.
        public let isClassToken: Bool
    }

    public let nodes: [Node]
    /// What it gives, in execution order: a classifier's `stage1`, … and `logits`.
    public let outputs: [Output]

    public func shape(of value: ValueID) -> TensorShape { nodes[value.index].shape }

    /// What it takes, in order.
    public var inputs: [Input] {
        nodes.compactMap { if case .input(let input) = $0.operator { input } else { nil } }
    }

    /// The output of that name.
    public func output(_ name: String) -> ValueID? { outputs.first { $0.name == name }?.value }

    /// Every tensor that a model file has to provide, in execution order, each once.
    public var parameters: [Parameter] { nodes.flatMap(\.operator.parameters) }

    /// Trained scalars of the whole model.
    public var parameterCount: Int { nodes.reduce(0) { $0 + $1.parameterCount } }

    /// Multiply-adds for one image; see ``Node/multiplyAdds``.
    public var multiplyAdds: Int { nodes.reduce(0) { $0 + $1.multiplyAdds } }
}

/// Builds a ``Graph`` in execution order, inferring every shape.
///
/// Shapes that do not fit are mistakes of the network definition, not of its input, and stop the program.
public struct GraphBuilder {
    private var nodes: [Node] = []
    private var outputs: [Graph.Output] = []

    /// The part and stage that nodes appended from now on belong to.
    public var part: Part = .image
    public var stage: Int?
    /// Epsilon of every LayerNorm appended from now on, where it is not the builder's choice.
    public var layerNormEpsilon: Float?

    public init() {}

    public func shape(of value: ValueID) -> TensorShape { nodes[value.index].shape }

    /// Appends an input of a shape, by the name that whoever runs the graph gives it.
    public mutating func input(_ name: String, _ shape: TensorShape) -> ValueID {
        append(name, .input(Input(label: name, shape: shape)), [])
    }

    /// Appends a node and returns its output.
    public mutating func append(_ name: String, _ op: Operator, _ inputs: [ValueID]) -> ValueID {
        let output = ValueID(index: nodes.count)
        let inputShapes = inputs.map(shape(of:))
        do throws(ShapeMismatch) {
            nodes.append(
                Node(
                    name: name, operator: op, inputs: inputs, inputShapes: inputShapes, output: output,
                    shape: try op.definition.outputShape(inputShapes), part: part, stage: stage))
        } catch {
            preconditionFailure("\(name): \(op.name) \(error.reason)")
        }
        return output
    }

    /// Makes a value an output of the graph. Its class token, where it has one, is no part of the output.
    public mutating func output(_ name: String, _ value: ValueID) {
        outputs.append(Graph.Output(name: name, value: value, isClassToken: false))
    }

    /// Makes the class token of a value an output of the graph.
    public mutating func outputClassToken(_ name: String, of value: ValueID) {
        precondition(shape(of: value).classTokens == 1, "\(name): there is no class token")
        outputs.append(Graph.Output(name: name, value: value, isClassToken: true))
    }

    /// The finished graph.
    public func finish() -> Graph { Graph(nodes: nodes, outputs: outputs) }
}
