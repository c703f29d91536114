import CETNetGraph

/// The architecture of a model, as a graph for any image size.
///
///     image H×W×3 → backbone: stem → stages { embedding → blocks } → head
///
/// Heads are in `Heads`, but for the paper's classifier.///
/// `Backbones/CETNet.swift` is the paper (arXiv 2207.13317) from top to bottom. Letters in the files beside it: H×W
/// positions of a map, C channels. A position is a token.
public struct Network: Sendable {
    /// Images of fewer pixels on a side are refused.
    public static let minimumImageSide = 32

    /// The most trained scalars that a network may have; as float32 they are 8 GiB.
    static let maximumParameterCount = 1 << 31

    public let configuration: ModelConfiguration
    /// Every tensor that a model file has to provide, in execution order; they do not depend on the image's size.
    public let parameters: [Parameter]
    /// Trained scalars: weights, biases and scales, not running statistics.
    public let parameterCount: Int
    /// Whether a head follows the stages. A backbone has none: its outputs are the stages' maps alone.
    public let hasClassifier: Bool

    /// The network of a configuration.
    /// - Parameters:
    ///   - source: what error messages call the configuration, usually a path.
    ///   - hasClassifier: whether to append the head.
    /// - Throws: ``ConfigurationError`` if the configuration makes no sense.
    public init(
        _ configuration: ModelConfiguration, source: String = "configuration", hasClassifier: Bool = true
    ) throws {
        try configuration.validate(source: source)
        (self.configuration, self.hasClassifier) = (configuration, hasClassifier)
        let graph = Self.graph(
            configuration, imageSize: ImageSize(square: Self.minimumImageSide), hasClassifier: hasClassifier)
        (parameters, parameterCount) = (graph.parameters, graph.parameterCount)
        guard parameterCount <= Self.maximumParameterCount else {
            throw ConfigurationError.invalidValue(
                source: source, key: "dims", expected: "a model of at most \(Self.maximumParameterCount) parameters",
                found: "\(parameterCount)")
        }
    }

    /// The graph for images of a size, with the outputs `stage1`, `stage2` and so on, the feature maps, normalised in a
    /// dense model; `logits` where there is a head: of the image, or for segmentation a map of ⌈H/4⌉×⌈W/4⌉; and
    /// `class_token` where there is one, before the final norm.
    ///
    /// Stops the program if a side is below ``minimumImageSide``.
    public func graph(imageSize: ImageSize) -> Graph {
        Self.graph(configuration, imageSize: imageSize, hasClassifier: hasClassifier)
    }

    private static func graph(
        _ configuration: ModelConfiguration, imageSize: ImageSize, hasClassifier: Bool
    ) -> Graph {
        precondition(
            min(imageSize.height, imageSize.width) >= minimumImageSide,
            "images have at least \(minimumImageSide) pixels on a side, not \(imageSize)")
        var builder = GraphBuilder()
        builder.layerNormEpsilon = configuration.layerNormEpsilon
        let image = builder.input(
            "image", TensorShape(height: imageSize.height, width: imageSize.width, channels: 3))
        let maps = builder.backbone(image, configuration)
        for (stage, map) in maps.enumerated() { builder.output("stage\(stage + 1)", map) }
        switch configuration.head {
        case .classifier:
            if hasClassifier { builder.output("logits", builder.classifier(maps.last!, configuration)) }
            if configuration.hasClassToken { builder.outputClassToken("class_token", of: maps.last!) }
        case .upernet(let head):
            builder.output("logits", builder.upernet(maps, head, labels: configuration.numLabels))
        }
        return builder.finish()
    }
}

extension GraphBuilder {
    /// Stem and stages. Returns what each stage makes of the one before: H/4×W/4×C0, H/8×W/8×C1 and so on, the feature
    /// maps that heads read; the last may have a class token with it. Each is normalised if the model is a dense one.
    mutating func backbone(_ image: ValueID, _ configuration: ModelConfiguration) -> [ValueID] {
        var (x, maps) = (stem(image, configuration), [ValueID]())
        for index in configuration.dims.indices {
            self.stage = index
            let stage = Stage(configuration: configuration, index: index)
            x = configuration.embeddings[index].append(&self, x, stage)
            x = stageTokens(x, stage)
            for block in 0..<configuration.depths[index] {
                x = configuration.block.definition.append(&self, x, stage, block)
            }
            part = .head
            maps.append(
                configuration.task == .classification
                    ? x : layerNorm("\(configuration.backbonePrefix)norm\(index)", x))
        }
        self.stage = nil
        return maps
    }

    /// Appends to a stage's embedded tokens what else its blocks see: a class token, position embeddings.
    private mutating func stageTokens(_ input: ValueID, _ stage: Stage) -> ValueID {
        let configuration = stage.configuration
        var x = input
        if configuration.classTokenStage == stage.index {
            let name = configuration.backbonePrefix + "cls_token"
            x = append(name, .appendClassToken(ClassToken(name: name, channels: stage.channels)), [x])
        }
        if configuration.hasPositionEmbeddings {
            // The patches of the stage for the image size that the model was trained with.
            let grid = ImageSize(
                square: (0...stage.index).reduce(configuration.imageSize) { $0 / ($1 == 0 ? 4 : 2) })
            let positions = PositionEmbedding(
                name: "\(configuration.backbonePrefix)pos_embed\(stage.index + 1)", channels: stage.channels,
                grid: grid, classTokens: shape(of: x).classTokens)
            x = append(positions.parameter.name, .positionEmbedding(positions), [x])
        }
        return x
    }
}

/// One stage of a model, as its embedding and its blocks need to know it.
struct Stage {
    let configuration: ModelConfiguration
    /// 0 to 3.
    let index: Int

    /// Path of the stage in the `state_dict`.
    var name: String { "\(configuration.backbonePrefix)stages.\(index)" }
    var channels: Int { configuration.dims[index] }
    var heads: Int { configuration.numHeads[index] }
    var hiddenChannels: Int { configuration.mlpRatios[index] * channels }
}
