import CETNetGraph

/// A linear layer or dense convolution together with the pointwise operators around it:
/// `activation(W · LayerNorm(x) + b) + residual`, or `activation(W · x + b + residual)`, with BatchNorm already part of
/// W and b.
struct MatrixLayer {
    enum Kind {
        case linear(Linear)
        case convolution(Convolution)
    }

    var kind: Kind
    /// Name of the linear layer or convolution; its frozen weights are found by it.
    var name: String
    /// BatchNorm behind a convolution, folded into its weights.
    var batchNorm: BatchNorm?
    /// LayerNorm in front of a linear layer; its affine part is folded into the weights, the normalisation itself is
    /// done while loading.
    var layerNorm: LayerNorm?
    /// Whether the linear layer reads 2×2 neighbours of its input side by side, normalised together: patch merging.
    var gathersPatches = false
    var activation: Activation?
    /// Whether the residual is added before the activation instead of after it.
    var residualFirst = false
    /// Set for the projection in front of attention: the first `channels` outputs are queries and are scaled.
    var queryScale: (channels: Int, factor: Float)?

    var outputChannels: Int {
        switch kind {
        case .linear(let linear): linear.outputChannels
        case .convolution(let convolution): convolution.outputChannels
        }
    }

    /// Numbers that one output is a sum over.
    var depth: Int {
        switch kind {
        case .linear(let linear): linear.inputChannels
        case .convolution(let convolution):
            convolution.inputChannels / convolution.groups * convolution.kernel * convolution.kernel
        }
    }
}

/// A depthwise convolution with the BatchNorm and activation behind it.
struct DepthwiseLayer {
    var convolution: Convolution
    var name: String
    var batchNorm: BatchNorm?
    var activation: Activation?
}

/// What a stage's blocks start from: embedded tokens with what is added to them, `LayerNorm(x)`, a class token behind
/// it, and position embeddings on all.
struct StageTokensLayer {
    /// `nil` where tokens are taken as they are.
    var layerNorm: LayerNorm?
    var classToken: ClassToken?
    var positions: PositionEmbedding?
    /// Name of the first node; the frozen weights are found by it.
    var name: String
}

/// A two-layer perceptron on each token: `x + fc2(activation(fc1(LayerNorm(x))))`, `x` being input and residual.
struct MLPLayer {
    var first: MatrixLayer
    var second: MatrixLayer
}

/// What one step of the plan computes.
enum FusedOperator {
    case image
    case matrix(MatrixLayer)
    case depthwise(DepthwiseLayer)
    case mlp(MLPLayer)
    case layerNorm(LayerNorm, name: String)
    case stageTokens(StageTokensLayer)
    case windowAttention(WindowAttention, name: String)
    case globalAttention(GlobalAttention, name: String)
    case crossShapedAttention(CrossShapedAttention, name: String)
    case takeClassToken
    /// `activation(x · scale + residual)`; the scale, if there is one, is the second input.
    case pointwise(Activation?)
    case meanOverTokens
    /// Takes no step where its inputs are computed in the places that they have in it.
    case concatenation
    /// Takes no step: some channels of its input, where they are.
    case channelSlice(Range<Int>)
    case channelShuffle
}

/// A fused operator with the graph nodes that it stands for.
struct FusedNode {
    var operation: FusedOperator
    /// Indices of the graph's nodes that it computes, in order; the last one's output is its output.
    var nodes: [Int]
    var inputs: [ValueID]
    /// Added to the result, or the second operand of an addition.
    var residual: ValueID?
    var output: ValueID

    /// The first input, which all but the image have.
    var input: ValueID { inputs[0] }
}
