import CETNetEngine
import CETNetGraph
import CETNetKernels
import CETNetNetworks

/// The shapes of CETNet-T's operators at 224×224, taken from the network's definition, each once.
enum Shapes {
    private static let variant = "cetnet-t"
    private static let imageSize = ImageSize(square: 224)

    /// C (rows × columns) = A (rows × depth) · W (columns × depth)ᵀ.
    struct Product: Hashable {
        let rows: Int
        let columns: Int
        let depth: Int
    }

    /// A convolution on a map.
    struct Layer: Hashable {
        let geometry: Geometry
        let outputChannels: Int
        let activation: Activation?
    }

    struct Geometry: Hashable {
        let size: ImageSize
        let output: ImageSize
        let channels: Int
        let kernel: Int
        let stride: Int
        let padding: Int

        var operators: ConvolutionGeometry {
            ConvolutionGeometry(
                kernel: kernel, stride: stride, padding: padding,
                from: TensorShape(height: size.height, width: size.width, channels: channels),
                to: TensorShape(height: output.height, width: output.width, channels: channels))
        }
    }

    /// LayerNorm of rows of channels.
    struct Normalization: Hashable {
        let rows: Int
        let channels: Int
    }

    /// Linear layers and dense convolutions.
    static func products() throws -> [Product] {
        let graph = try graph()
        return unique(
            graph.nodes.compactMap { node in
                switch node.operator {
                case .linear(let linear):
                    Product(rows: node.shape.tokens, columns: linear.outputChannels, depth: linear.inputChannels)
                case .convolution(let convolution) where !convolution.isDepthwise:
                    Product(
                        rows: node.shape.tokens, columns: convolution.outputChannels,
                        depth: convolution.inputChannels * convolution.kernel * convolution.kernel)
                default: nil
                }
            })
    }

    /// Dense convolutions that need im2col.
    static func denseConvolutions() throws -> [Layer] {
        try convolutions { !$0.isDepthwise && !$0.isPointwise }
    }

    static func depthwiseConvolutions() throws -> [Layer] { try convolutions { $0.isDepthwise } }

    /// One per stage.
    static func attentions() throws -> [WindowAttention] {
        let attentions = try graph().nodes.compactMap { node in
            if case .windowAttention(let attention) = node.operator { attention } else { nil }
        }
        var seen: Set<Int> = []
        return attentions.filter { seen.insert($0.channels).inserted }
    }

    static func normalizations() throws -> [Normalization] {
        try unique(
            graph().nodes.compactMap { node in
                guard case .layerNorm(let norm) = node.operator else { return nil }
                return Normalization(rows: node.shape.tokens, channels: norm.channels)
            })
    }

    private static func convolutions(where isWanted: (Convolution) -> Bool) throws -> [Layer] {
        let graph = try graph()
        return unique(
            graph.nodes.compactMap { node in
                guard case .convolution(let convolution) = node.operator, isWanted(convolution) else { return nil }
                let input = graph.shape(of: node.inputs[0])
                // Blocks' local convolutions stand alone; those of the embedding have a GELU behind their BatchNorm.
                return Layer(
                    geometry: Geometry(
                        size: input.size, output: node.shape.size, channels: input.channels,
                        kernel: convolution.kernel, stride: convolution.stride, padding: convolution.padding),
                    outputChannels: convolution.outputChannels,
                    activation: node.part == .convolutionalEmbedding ? .gelu : nil)
            })
    }

    private static func graph() throws -> Graph {
        try Network(ModelConfiguration(variant: variant)).graph(imageSize: imageSize)
    }

    private static func unique<Shape: Hashable>(_ shapes: [Shape]) -> [Shape] {
        var seen: Set<Shape> = []
        return shapes.filter { seen.insert($0).inserted }
    }
}
