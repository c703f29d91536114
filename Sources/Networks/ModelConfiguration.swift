import CETNetGraph

/// What a model is: the contents of its `config.json`.
///
/// Arrays have one entry per stage. A configuration may describe more than this version can build; ``Network`` says so.
public struct ModelConfiguration: Sendable, Equatable {
    /// The kind of transformer block.
    public enum Block: String, Sendable, Hashable, CaseIterable {
        /// CETNet's: a 3×3 depthwise convolution, then a Swin block (arXiv 2207.13317).
        case lewin
        /// Attention in shifted windows (arXiv 2103.14030).
        case swin
        /// Attention over spatially reduced keys (arXiv 2102.12122).
        case pvt
        /// Attention with convolutional projections (arXiv 2103.15808).
        case cvt
        /// Attention in cross-shaped windows (arXiv 2107.00652).
        case cswin

        /// How many stages a model of this block has.
        public var stageCount: Int { self == .cvt ? 3 : 4 }
        /// The non-linearity of the MLP unless the configuration names one.
        public var defaultActivation: Activation { self == .cvt ? .quickGELU : .gelu }
    }

    /// What opens a stage: takes the map of the stage before, or the stem's, to fewer and wider tokens.
    public enum Embedding: String, Sendable, Hashable, CaseIterable {
        /// The paper's convolutional embedding.
        case ce
        /// One overlapping convolution.
        case conv
        /// One convolution whose stride is its kernel.
        case patch
        /// Swin's patch merging.
        case merge
    }

    /// The unit that convolutional embeddings are made of.
    public enum ConvolutionalEmbeddingUnit: String, Sendable, Hashable, CaseIterable {
        case mbconv
        case pureMB = "pure-mb"
        case resnet
        case seResnet = "se-resnet"
        case dense
        case shuffle
        case ghost
    }

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
    /// Key `preprocess`.
    public var preprocess: PreprocessConfiguration

    /// The number of classes. Key `num_labels`.
    public var numLabels: Int { labels.count }

    /// A configuration from its values; not checked before ``validate(source:)`` or ``Network`` does.
    /// - Parameter labels: `nil` for 1000 labels that are their indices.
    public init(
        variant: String? = nil, dims: [Int], depths: [Int], numHeads: [Int], mlpRatios: [Int]? = nil,
        block: Block = .lewin, embeddings: [Embedding]? = nil, stemChannels: [Int] = [24, 48], ceLayers: Int = 5,
        ceUnit: ConvolutionalEmbeddingUnit = .mbconv, windowSize: Int = 7, imageSize: Int = 224,
        labels: [String]? = nil, hiddenActivation: Activation? = nil,
        layerNormEpsilon: Float? = nil, preprocess: PreprocessConfiguration = PreprocessConfiguration()
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
        self.labels = labels ?? Self.indices(1000)
        self.hiddenActivation = hiddenActivation ?? block.defaultActivation
        self.layerNormEpsilon = layerNormEpsilon
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

    static func indices(_ count: Int) -> [String] { (0..<count).map(String.init) }
}
