import CETNetCheckpoint
import CETNetGraph
import CETNetPreprocessing

/// What a model is: the contents of its `config.json`.
///
/// Arrays have one entry per stage. A configuration may describe more than this version can build; loading says so.
public struct ModelConfiguration: Sendable, Equatable {
    /// The row of ``Variant/all`` that values come from unless they are given. Key `variant`.
    public var variant: String?
    /// Channels. Key `dims`.
    public var dims: [Int]
    /// Transformer blocks. Key `depths`.
    public var depths: [Int]
    /// Heads of attention; each has `dims / numHeads` channels. Key `num_heads`.
    public var numHeads: [Int]
    /// Hidden channels of the MLPs, as multiples of `dims`. Key `mlp_ratios`.
    public var mlpRatios: [Int]
    /// Key `block`.
    public var block: Block
    /// Key `embeddings`.
    public var embeddings: [Embedding]
    /// Channels c0 of the stem and c1 of stage 0's convolutional embedding. Key `stem_channels`.
    public var stemChannels: [Int]
    /// Layers of a convolutional embedding; in stage 0 half of them are the stem. Odd. Key `ce_layers`.
    public var ceLayers: Int
    /// Key `ce_unit`.
    public var ceUnit: ConvolutionalEmbeddingUnit
    /// Side of an attention window in tokens. Key `window_size`.
    public var windowSize: Int
    /// Side of the square that images are cropped to, in pixels. Other sizes can be run too. Key `image_size`.
    public var imageSize: Int
    /// What the classes are called, by index. Key `id2label`; if absent, the index as text.
    public private(set) var labels: [String]
    /// The non-linearity of the MLPs. Key `hidden_act`.
    public var hiddenActivation: Activation
    /// Epsilon of every LayerNorm, where it is not the one of the block's authors (1e-5; 1e-6 in PVT's blocks and
    /// before its head). Key `layer_norm_eps`.
    public var layerNormEpsilon: Float?
    /// Which axes of a map windows are shifted on, in every second block; `nil` for what is usual for the task: those
    /// that are larger than a window in a classifier, all in a dense model. Key `shift`.
    public var shift: Shift?
    /// What follows the backbone. Keys `task` and `head`.
    public var head: Head
    /// Key `preprocess`.
    public var preprocess: PreprocessConfiguration
    /// What the weights on disk are rounded for, and what the model is computed in unless it is loaded with another
    /// precision. Key `precision`; if absent, float32.
    public var precision = Precision.float32

    /// The number of classes. Key `num_labels`.
    public var numLabels: Int { labels.count }

    /// A configuration from its values; not checked before a model is made of it.
    /// - Parameter labels: `nil` for 1000 labels that are their indices.
    public init(
        variant: String? = nil, dims: [Int], depths: [Int], numHeads: [Int], mlpRatios: [Int]? = nil,
        block: Block = .lewin, embeddings: [Embedding]? = nil, stemChannels: [Int] = [24, 48], ceLayers: Int = 5,
        ceUnit: ConvolutionalEmbeddingUnit = .mbconv, windowSize: Int = 7, imageSize: Int = 224,
        labels: [String]? = nil, hiddenActivation: Activation? = nil,
        layerNormEpsilon: Float? = nil, shift: Shift? = nil, head: Head = .classifier,
        preprocess: PreprocessConfiguration = PreprocessConfiguration()
    ) {
        self.variant = variant
        self.dims = dims
        self.depths = depths
        self.numHeads = numHeads
        self.mlpRatios = mlpRatios ?? [Int](repeating: 4, count: dims.count)
        self.block = block
        self.embeddings = embeddings ?? [Embedding](repeating: .ce, count: dims.count)
        self.stemChannels = stemChannels
        self.ceLayers = ceLayers
        self.ceUnit = ceUnit
        self.windowSize = windowSize
        self.imageSize = imageSize
        self.labels = labels ?? Self.thousandIndices
        self.hiddenActivation = hiddenActivation ?? block.defaultActivation
        self.layerNormEpsilon = layerNormEpsilon
        self.shift = shift
        self.head = head
        self.preprocess = preprocess
    }

    /// The configuration of a known variant.
    /// - Throws: ``ConfigurationError/unknownVariant(source:name:known:)``.
    public init(variant name: String) throws {
        guard let variant = Variant.named(name) else {
            throw ConfigurationError.unknownVariant(source: nil, name: name, known: Variant.all.map(\.name))
        }
        self = variant.configuration
    }

    /// Gives the classes names, and the model as many classes.
    public mutating func setLabels(_ labels: [String]) { self.labels = labels }

    /// Gives the model `count` classes, named by their indices.
    public mutating func setLabelCount(_ count: Int) { labels = Self.indices(count) }

    /// Whether the labels are no more than their indices.
    package var labelsAreIndices: Bool { labels.enumerated().allSatisfy { $1 == String($0) } }

    private static func indices(_ count: Int) -> [String] { (0..<count).map(String.init) }
    private static let thousandIndices = indices(1000)
}

extension ModelConfiguration {
    /// How many classes a model may have.
    package static let labelCounts = 1...1_000_000

    /// Every key but `model_type`, `variant`, the head's and the labels: with the property and the initialiser above all that a new
    /// one needs here. Ranges are far above any model of the field, and low enough that no count computed from them
    /// overflows and no configuration makes a program ask for memory that its weights do not justify.
    static let keys: [ConfigurationKey<ModelConfiguration>] = [
        .choice("block", \.block, among: Block.allCases),
        .numbers("dims", \.dims, in: 1...8192),
        .numbers("depths", \.depths, in: 1...512),
        .numbers("num_heads", \.numHeads, in: 1...8192),
        .numbers("mlp_ratios", \.mlpRatios, in: 1...64),
        .choices("embeddings", \.embeddings, among: Embedding.allCases),
        .numbers("stem_channels", \.stemChannels, in: 1...8192, count: 2),
        .number("ce_layers", \.ceLayers, in: 1...15, isOdd: true),
        .choice("ce_unit", \.ceUnit, among: ConvolutionalEmbeddingUnit.allCases),
        .number("window_size", \.windowSize, in: 1...32),
        .number("image_size", \.imageSize, in: Network.minimumImageSide...4096),
        .choice("precision", \.precision, among: Precision.allCases, silent: .float32),
        .choice("hidden_act", \.hiddenActivation, among: [.gelu, .quickGELU]),
        ConfigurationKey(
            "layer_norm_eps", \.layerNormEpsilon,
            read: { reader throws(ConfigurationError) in try reader.number("layer_norm_eps").map { Float($0) } },
            write: { $0.map(JSONValue.shortest) },
            problem: { value, _ in
                guard let value, !(value >= .leastNormalMagnitude && value < 1) else { return nil }
                return ("a number between 0 and 1", "\(value)")
            }),
    ]

    /// Every key of an object but `model_type`, `variant` and `preprocess`, in the order in which they are read: a task
    /// sets defaults of what follows it.
    static var allKeys: [ConfigurationKey<ModelConfiguration>] { headKeys + keys + labelKeys }

    /// Checks that the values describe a model.
    /// - Parameter source: what error messages call the configuration, usually a path.
    /// - Throws: ``ConfigurationError/invalidValue(source:key:expected:found:)`` for the first value that does not.
    public func validate(source: String = "configuration") throws(ConfigurationError) {
        try Self.allKeys.check(self, source: source)
        try PreprocessConfiguration.keys.check(preprocess, source: source, prefix: "preprocess.")
        try block.definition.check(self, source: source)
        try ceUnit.definition.check(self, source: source)
        try checkHead(source: source)
    }
}
