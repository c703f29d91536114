/// A known model: a row of the tables that this project computes.
public struct Variant: Sendable {
    /// For instance `cetnet-t`.
    public let name: String
    public let configuration: ModelConfiguration
    /// What this project counts, rounded.
    package let counted: PublishedFigures
    /// What was published about it, smallest image first; empty for a row without published figures.
    public let published: [PublishedFigures]
    /// What was published about it in words, where it was not a figure for this row; `nil` for most.
    public let publishedRemark: String?
    /// Where the figures and the architecture were published.
    public let source: String

    /// Figures as printed in a publication, for one image size. "Multiply-adds" are what the publication calls FLOPs.
    public struct PublishedFigures: Sendable, Hashable {
        /// Side of the square image in pixels; the height where ``imageWidth`` is another.
        public let imageSize: Int
        /// Width of the image in pixels.
        public let imageWidth: Int
        /// For instance `23.4 M`.
        public let parameters: String?
        /// For instance `4.3 G`.
        public let multiplyAdds: String?
        /// Share of ImageNet-1k's validation images whose first prediction is right, in percent, for instance `82.7`.
        public let top1: String?
        /// Mean intersection over union on ADE20K's validation images at a single scale, in percent, for instance `46.5`.
        public let meanIoU: String?
    }

    /// The published number of parameters, for instance `23.4 M`.
    public var publishedParameters: String? { published.first?.parameters }
    /// The published multiply-adds at the smallest image size, for instance `4.3 G`.
    public var publishedMultiplyAdds: String? { published.first?.multiplyAdds }
    /// The published top-1 accuracy on ImageNet-1k at the smallest image size, in percent, for instance `82.7`.
    public var publishedTop1: String? { published.first?.top1 }

    /// All known models, in the order in which tables list them.
    public static var all: [Variant] { VariantTable.shared.variants }

    /// The variant of that name, if there is one.
    public static func named(_ name: String) -> Variant? { all.first { $0.name == name } }

    /// What a study compares.
    public enum Study: String, Sendable, Hashable, CaseIterable {
        /// How many layers a convolutional embedding has: 1, 3, 5, 7.
        case layers
        /// Which unit it is made of.
        case units
        /// How many stages, from the first on, have one: 0 to 4. The others open as Swin's do.
        case stages
        /// CETNet in its sizes.
        case family
        /// Other backbones, each followed by its form with convolutional embeddings.
        case backbones

        /// The rows of the study in its order. CETNet-T, which the first three vary, is one of theirs.
        public var variants: [Variant] { VariantTable.shared.studies[self]! }
    }
}
