import CETNetGraph

/// The architecture of a model, as a graph for any image size.
///
/// One reading of the paper (arXiv 2207.13317), in execution order:
///
///     image H×W×3 → stem → 4 × stage { embedding → blocks } → norm → mean over tokens → head
///
/// Letters in the files beside this one: H×W positions of a map, C channels. A position is a token.
public struct Network: Sendable {
    /// Images of fewer pixels on a side are refused.
    public static let minimumImageSide = 32

    /// The most trained scalars that a network may have; as float32 they are 8 GiB.
    static let maximumParameterCount = 1 << 31

    public let configuration: ModelConfiguration
    private let embeddings: [EmbeddingBuilder]
    private let block: BlockBuilder

    /// The network of a configuration.
    /// - Parameter source: what error messages call the configuration, usually a path.
    /// - Throws: ``ConfigurationError`` if the configuration makes no sense.
    public init(_ configuration: ModelConfiguration, source: String = "configuration") throws {
        try configuration.validate(source: source)
        self.configuration = configuration
        block = blockBuilder(configuration.block)
        embeddings = configuration.embeddings.map(embeddingBuilder)
        let parameterCount = graph(imageSize: ImageSize(square: Self.minimumImageSide)).parameterCount
        guard parameterCount <= Self.maximumParameterCount else {
            throw ConfigurationError.invalidValue(
                source: source, key: "dims", expected: "a model of at most \(Self.maximumParameterCount) parameters",
                found: "\(parameterCount)")
        }
    }

    /// The graph for images of a size; stops the program if a side is below ``minimumImageSide``.
    public func graph(imageSize: ImageSize) -> Graph {
        precondition(
            min(imageSize.height, imageSize.width) >= Self.minimumImageSide,
            "images have at least \(Self.minimumImageSide) pixels on a side, not \(imageSize)")
        var builder = GraphBuilder()
        let image = builder.input(
            "image", TensorShape(height: imageSize.height, width: imageSize.width, channels: 3))
        builder.layerNormEpsilon = configuration.layerNormEpsilon
        var x = builder.stem(image, configuration)
        for stage in configuration.dims.indices {
            builder.stage = stage
            x = embeddings[stage](&builder, x, Stage(configuration, stage))
            x = builder.stageTokens(x, Stage(configuration, stage))
            for index in 0..<configuration.depths[stage] {
                x = block(&builder, x, Stage(configuration, stage), index)
            }
            builder.output("stage\(stage + 1)", x)
        }
        builder.stage = nil
        builder.output("logits", builder.head(x, configuration))
        return builder.finish()
    }
}

/// One stage of a model, as its embedding and its blocks need to know it.
struct Stage {
    let configuration: ModelConfiguration
    /// 0 to 3.
    let index: Int

    init(_ configuration: ModelConfiguration, _ index: Int) {
        self.configuration = configuration
        self.index = index
    }

    /// Path of the stage in the `state_dict`.
    var name: String { "stages.\(index)" }
    var channels: Int { configuration.dims[index] }
    var heads: Int { configuration.numHeads[index] }
    var hiddenChannels: Int { configuration.mlpRatios[index] * channels }
}

/// Appends what opens a stage; returns its tokens.
typealias EmbeddingBuilder = @Sendable (inout GraphBuilder, ValueID, Stage) -> ValueID

/// How an embedding is built.
func embeddingBuilder(_ embedding: ModelConfiguration.Embedding) -> EmbeddingBuilder {
    switch embedding {
    case .ce: { $0.convolutionalEmbedding($1, $2) }
    case .conv: { $0.overlappingEmbedding($1, $2) }
    case .patch: { $0.patchEmbedding($1, $2) }
    case .merge: { $0.patchMerging($1, $2) }
    }
}

/// Appends a transformer block, the `index`-th of its stage; returns its tokens.
typealias BlockBuilder = @Sendable (inout GraphBuilder, ValueID, Stage, _ index: Int) -> ValueID

/// How a block is built.
func blockBuilder(_ block: ModelConfiguration.Block) -> BlockBuilder {
    switch block {
    case .lewin: { $0.windowBlock($1, $2, index: $3, isLocallyEnhanced: true) }
    case .swin: { $0.windowBlock($1, $2, index: $3, isLocallyEnhanced: false) }
    case .pvt: { $0.pyramidBlock($1, $2, index: $3) }
    case .cvt: { $0.convolutionalProjectionBlock($1, $2, index: $3) }
    case .cswin: { $0.crossShapedBlock($1, $2, index: $3) }
    }
}
