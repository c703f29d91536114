import CETNetGraph

extension ModelConfiguration {
    /// The kind of transformer block. A new one is a case here, a file beside this one, and rows in `variants.json`.
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

        var definition: BlockDefinition {
            switch self {
            case .lewin: .lewin
            case .swin: .swin
            case .pvt: .pvt
            case .cvt: .cvt
            case .cswin: .cswin
            }
        }

        /// How many stages a model of this block has.
        public var stageCount: Int { definition.embeddings.count }
        /// The non-linearity of the MLP unless the configuration names one.
        public var defaultActivation: Activation { definition.activation }
        /// What opens the stages of a model of this block as its authors published it.
        package var publishedEmbeddings: [Embedding] { definition.embeddings }
    }

    /// Whether the stages open as the authors of the block published it, without a convolutional embedding.
    private var isAsPublished: Bool { embeddings == block.definition.embeddings }
    /// Whether tokens get trained position embeddings. Convolutions that overlap tell positions apart by themselves.
    var hasPositionEmbeddings: Bool { block.definition.positionEmbeddings.isThere(isAsPublished: isAsPublished) }
    /// The stage that a class token joins, which is then what classification reads: the last one. `nil` if
    /// classification reads the mean over all tokens.
    var classTokenStage: Int? {
        block.definition.classToken.isThere(isAsPublished: isAsPublished) ? block.stageCount - 1 : nil
    }
}

/// All that a kind of transformer block, and the backbone made of it, is beside its numbers in a configuration.
struct BlockDefinition: Sendable {
    /// Models that have a part.
    enum Presence {
        /// None, those with the embeddings of the block's authors, or all.
        case never, asPublished, always

        func isThere(isAsPublished: Bool) -> Bool { self == .always || self == .asPublished && isAsPublished }
    }

    /// What opens each stage where the backbone is as its authors published it.
    let embeddings: [ModelConfiguration.Embedding]
    /// The non-linearity of the MLP unless the configuration names one.
    var activation = Activation.gelu
    /// Epsilon of the norms around its blocks and before the head, unless the configuration has one for all.
    var epsilon: Float = 1e-5
    var classToken = Presence.never
    var positionEmbeddings = Presence.never
    /// What the heads of each stage are multiples of, and in words.
    var headMultiples: (perStage: [Int], description: String)?
    /// Appends the `index`-th block of a stage to its tokens, H×W×C, and returns what it makes of them, as large.
    let append: @Sendable (_ builder: inout GraphBuilder, _ tokens: ValueID, _ stage: Stage, _ index: Int) -> ValueID

    /// Checks what the block asks of the stages' heads and embeddings, which are as many as they should be.
    func check(_ configuration: ModelConfiguration, source: String) throws(ConfigurationError) {
        let (dims, heads) = (configuration.dims, configuration.numHeads)
        var expected: String?
        if !zip(dims, heads).allSatisfy({ $0 % $1 == 0 }) {
            expected = "numbers that divide \"dims\" \(dims)"
        } else if let headMultiples, !zip(heads, headMultiples.perStage).allSatisfy({ $0 % $1 == 0 }) {
            expected = headMultiples.description
        }
        if let expected {
            throw .invalidValue(source: source, key: "num_heads", expected: expected, found: "\(heads)")
        }
        guard configuration.embeddings.first != .merge else {
            throw .invalidValue(
                source: source, key: "embeddings", expected: "\"ce\", \"conv\" or \"patch\" in the first stage",
                found: "\"merge\"")
        }
    }
}
