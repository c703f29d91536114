/// A known model: a row of the tables that this project computes.
public struct Variant: Sendable {
    /// For instance `cetnet-t`.
    public let name: String
    public let configuration: ModelConfiguration
    /// What was published about it, smallest image first; empty for a row without published figures.
    public let published: [PublishedFigures]
    /// What was published about it in words, where it was not a figure for this row; `nil` for most.
    public let publishedRemark: String?
    /// Where the figures and the architecture were published.
    public let source: String

    /// Figures as printed in a publication, for one image size. "Multiply-adds" are what the publication calls FLOPs.
    public struct PublishedFigures: Sendable, Hashable {
        /// Side of the square image in pixels.
        public let imageSize: Int
        /// For instance `23.4 M`.
        public let parameters: String?
        /// For instance `4.3 G`.
        public let multiplyAdds: String?
        /// Share of ImageNet-1k's validation images whose first prediction is right, in percent, for instance `82.7`.
        public let top1: String?
    }

    /// The published number of parameters, for instance `23.4 M`.
    public var publishedParameters: String? { published.first?.parameters }
    /// The published multiply-adds at the smallest image size, for instance `4.3 G`.
    public var publishedMultiplyAdds: String? { published.first?.multiplyAdds }
    /// The published top-1 accuracy on ImageNet-1k at the smallest image size, in percent, for instance `82.7`.
    public var publishedTop1: String? { published.first?.top1 }

    /// All known models, in the order in which tables list them.
    public static let all: [Variant] = cetnet + convolutionalEmbeddingStudies + backbones

    /// The variant of that name, if there is one.
    public static func named(_ name: String) -> Variant? { all.first { $0.name == name } }
}

extension Variant {
    /// CETNet itself. The paper gives parameters, multiply-adds and accuracies; widths and depths, which it leaves to a
    /// supplement, were fitted to these.
    static let cetnet: [Variant] = [
        cetnet(
            "cetnet-t", width: 64, depths: [2, 2, 16, 2], stemChannels: [24, 48],
            [
                PublishedFigures(imageSize: 224, parameters: "23.4 M", multiplyAdds: "4.3 G", top1: "82.7"),
                PublishedFigures(imageSize: 384, parameters: nil, multiplyAdds: "12.5 G", top1: "84.2"),
            ]),
        cetnet(
            "cetnet-s", width: 64, depths: [2, 6, 28, 2], stemChannels: [24, 48],
            [
                PublishedFigures(imageSize: 224, parameters: "34 M", multiplyAdds: "6.8 G", top1: "83.4"),
                PublishedFigures(imageSize: 384, parameters: nil, multiplyAdds: "19.9 G", top1: "84.6"),
            ]),
        cetnet(
            "cetnet-b", width: 96, depths: [2, 6, 28, 2], stemChannels: [36, 72],
            [
                PublishedFigures(imageSize: 224, parameters: "75 M", multiplyAdds: "15.1 G", top1: "83.8"),
                PublishedFigures(imageSize: 384, parameters: nil, multiplyAdds: "44.5 G", top1: "84.9"),
            ]),
    ]

    /// A row whose widths double from stage to stage and whose heads have 32 channels.
    private static func cetnet(
        _ name: String, width: Int, depths: [Int], stemChannels: [Int], _ published: [PublishedFigures]
    ) -> Variant {
        let dims = [1, 2, 4, 8].map { width * $0 }
        return Variant(
            name: name,
            configuration: ModelConfiguration(
                variant: name, dims: dims, depths: depths, numHeads: dims.map { $0 / 32 }, stemChannels: stemChannels),
            published: published, publishedRemark: nil, source: paper)
    }

    static let paper =
        "Wang et al., Convolutional Embedding Makes Hierarchical Vision Transformer Stronger, ECCV 2022, "
        + "arXiv 2207.13317"
}
