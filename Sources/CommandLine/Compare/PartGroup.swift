import CETNetGraph

/// What tables sum the parts of the architecture up to.
enum PartGroup: String, Sendable, Hashable, CaseIterable {
    /// The stem and the stages' convolutional embeddings: the paper counts the stem's layers to the first embedding.
    case convolutionalEmbedding = "CE"
    case attention
    case mlp = "MLP"
    /// The image's copy, patch embeddings, local convolutions, the head.
    case other

    init(_ part: Part) {
        switch part {
        case .stem, .convolutionalEmbedding: self = .convolutionalEmbedding
        case .attention: self = .attention
        case .mlp: self = .mlp
        case .image, .patchEmbedding, .localConvolution, .head: self = .other
        }
    }

    /// Its key in files.
    var key: String {
        switch self {
        case .convolutionalEmbedding: "ce"
        case .attention: "attention"
        case .mlp: "mlp"
        case .other: "other"
        }
    }
}

extension Part {
    /// Its key in files.
    var key: String { rawValue.lowercased().replacing(" ", with: "_") }
}
