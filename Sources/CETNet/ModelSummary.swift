import CETNetEngine
import CETNetGraph
import CETNetKernels
import CETNetNetworks
import Foundation

/// By its name.
extension Precision: Codable {}

/// The layers of a model at an image size, with what each costs.
public struct ModelSummary: Sendable, Codable {
    /// One operator of the model.
    public struct Layer: Sendable, Hashable, Codable {
        /// Path of the layer, as in a PyTorch `state_dict`: `stages.0.blocks.1.attn.qkv`.
        public let name: String
        /// The field's name of the operator: `convolution`, `linear`, `window attention`.
        public let `operator`: String
        /// Part of the architecture, in the paper's words: `stem`, `convolutional embedding`, `MLP`.
        public let part: String
        /// Stage 0 to 3, or `nil` for the stem and the head.
        public let stage: Int?
        /// (height, width, channels) for one image.
        public let outputShape: [Int]
        /// Trained scalars.
        public let parameters: Int
        /// Multiply-adds for one image.
        public let multiplyAdds: Int
        /// What it is computed in.
        public let precision: Precision
    }

    /// What the model is.
    public let configuration: ModelConfiguration
    /// Whose names the tensors on disk have, for instance `Transformers' Swin`; `nil` for this project's own, and where
    /// nothing is on disk.
    public let layout: String?
    /// The image size that shapes and multiply-adds are for.
    public let imageSize: ImageSize
    /// The precision that it is for; ``Layer/precision`` says what becomes of each layer in it.
    public let precision: Precision
    /// What computes the products of the layers' precisions on this processor, by the precisions' names: `int8` by
    /// `AVX-512 VNNI`, for instance.
    public let instructions: [String: String]
    /// In execution order.
    public let layers: [Layer]
    /// Trained scalars of the whole model.
    public let parameters: Int
    /// Multiply-adds of the whole model for one image; one multiply-add is two floating point operations.
    public let multiplyAdds: Int

    /// The layers of a configured model. Needs no weights.
    /// - Parameters:
    ///   - configuration: of the model.
    ///   - imageSize: `nil` for the size that the configuration names.
    ///   - precision: `nil` for the one that the configuration names.
    /// - Throws: ``ConfigurationError`` for a configuration that cannot be built, ``ModelError/imageSize(_:allowed:)``
    ///   for a size that cannot be run.
    public init(
        _ configuration: ModelConfiguration, imageSize: ImageSize? = nil, precision: Precision? = nil
    ) throws {
        try self.init(
            configuration, network: Network(configuration), layout: nil, imageSize: imageSize, precision: precision)
    }

    /// The layers of a model on disk, checked as loading checks it, without converting the weights.
    /// - Throws: what ``Model/init(contentsOf:options:)`` throws, but for what only reading every weight finds.
    public init(contentsOf url: URL, imageSize: ImageSize? = nil, precision: Precision? = nil) throws {
        let files = try ModelFiles(contentsOf: url)
        try files.check(Model.Options(precision: precision))
        try self.init(
            files.configuration, network: files.network, layout: files.layout, imageSize: imageSize,
            precision: precision)
    }

    fileprivate init(
        _ configuration: ModelConfiguration, network: Network, layout: String?, imageSize: ImageSize?,
        precision: Precision?
    ) throws(ModelError) {
        let size = imageSize ?? ImageSize(square: configuration.imageSize)
        try InputLimits.check(size)
        let graph = network.graph(imageSize: size)
        self.configuration = configuration
        self.layout = layout
        self.imageSize = size
        parameters = graph.parameterCount
        multiplyAdds = graph.multiplyAdds
        let precision = precision ?? configuration.precision
        let precisions = graph.precisions(in: precision)
        let kernels = (try? KernelSet.selected()) ?? KernelSet.usable[0]
        self.precision = precision
        instructions = Dictionary(
            uniqueKeysWithValues: Set(precisions).map { ($0.rawValue, kernels.instructions(for: $0)) })
        layers = zip(graph.nodes, precisions).dropFirst().map { node, precision in
            Layer(
                name: node.name, operator: node.operator.name, part: node.part.rawValue, stage: node.stage,
                outputShape: [node.shape.height, node.shape.width, node.shape.channels],
                parameters: node.parameterCount, multiplyAdds: node.multiplyAdds, precision: precision)
        }
    }
}

extension Model {
    /// The layers of the model at an image size, with what each costs.
    /// - Parameter imageSize: `nil` for the size that the configuration names.
    /// - Throws: ``ModelError/imageSize(_:allowed:)``.
    public func summary(imageSize: ImageSize? = nil) throws(ModelError) -> ModelSummary {
        try ModelSummary(
            configuration, network: network, layout: layout, imageSize: imageSize, precision: precision)
    }
}
