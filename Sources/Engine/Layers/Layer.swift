import CETNetGraph
import CETNetMemory
import CKernels

/// One or more operators of the graph that are computed together: what fusing makes of them, at every image size.
///
/// A file beside this one has all of a layer: what it is, how its weights are reserved and filled from a model file, and
/// its steps at an image size. Fused layers are made once per network and met again only when a size is planned; what
/// runs is their steps.
protocol Layer: Sendable {
    /// Reserves memory for the layer's weights and hands in the jobs that fill it. By default it has none.
    mutating func reserve(in freezer: inout Freezer)

    /// Drafts the layer's steps, most often one, at the builder's image size.
    /// - Throws: where tables of that size need more memory than there is; most layers have none.
    func draft(_ node: FusedNode, in builder: inout PlanBuilder) throws(OutOfMemoryError)

    /// The layers of it whose weights are stored in the format of a precision. By default it has none.
    var matrices: [MatrixLayer] { get }

    /// Where the layer's output may be. By default anywhere.
    var place: OutputPlace { get }
}

extension Layer {
    mutating func reserve(in freezer: inout Freezer) {}
    var matrices: [MatrixLayer] { [] }
    var place: OutputPlace { .anywhere }
}

/// Where the output of a layer may be.
enum OutputPlace {
    /// Wherever whoever reads it wants it, among the channels of a wider map for instance.
    case anywhere
    /// In a buffer of its own.
    case ownBuffer
    /// Its inputs side by side: these are computed there, where they may be.
    case joinedInputs
    /// Some channels of its input, where that is.
    case partOfInput(Range<Int>)
}

/// A fused layer with the graph nodes that it stands for.
struct FusedNode: Sendable {
    /// Position among the network's fused nodes.
    let index: Int
    var layer: any Layer
    /// What reports call it.
    let name: String
    /// Indices of the graph's nodes that it computes, in order; the last one's output is its output.
    let nodes: [Int]
    let inputs: [ValueID]
    /// Added to the result, or the second operand of an addition.
    let residual: ValueID?
    let output: ValueID

    /// The first input, which all but those of the graph have.
    var input: ValueID { inputs[0] }
}

extension Activation? {
    /// The activation as the kernels number them.
    var kernel: Int32 {
        let number =
            switch self {
            case nil: CETNET_ACTIVATION_NONE
            case .gelu: CETNET_ACTIVATION_GELU
            case .quickGELU: CETNET_ACTIVATION_QUICK_GELU
            case .relu: CETNET_ACTIVATION_RELU
            case .sigmoid: CETNET_ACTIVATION_SIGMOID
            }
        return Int32(number)
    }
}
