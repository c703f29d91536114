/// The paper's studies of the convolutional embedding (arXiv 2207.13317, section 4): CETNet-T with one thing changed.
extension Variant {
    /// What a study compares.
    public enum Study: String, Sendable, Hashable, CaseIterable {
        /// How many layers a convolutional embedding has: 1, 3, 5, 7.
        case layers
        /// Which unit it is made of.
        case units
        /// How many stages, from the first on, have one: 0 to 4.
        case stages
        /// CETNet in its sizes.
        case family
        /// Other backbones, each followed by its form with convolutional embeddings.
        case backbones

        /// The rows of the study in its order. CETNet-T, which the first three vary, is one of theirs.
        public var variants: [Variant] { names.compactMap(Variant.named) }

        private var names: [String] {
            switch self {
            case .layers: ["cetnet-t-ce1", "cetnet-t-ce3", "cetnet-t", "cetnet-t-ce7"]
            case .units:
                ["cetnet-t", "cetnet-t-pure-mb"]
                    + ["dense", "shuffle", "resnet", "se-resnet", "ghost"].map { "cetnet-t-" + $0 }
            case .stages: (0...3).map { "cetnet-t-stages\($0)" } + ["cetnet-t"]
            case .family: ["cetnet-t", "cetnet-s", "cetnet-b"]
            case .backbones:
                ["swin-t", "swin-s", "swin-b", "cvt-13", "pvt-s", "cswin-t"].flatMap { [$0, "ce-" + $0] }
            }
        }
    }

    static let convolutionalEmbeddingStudies: [Variant] = layerStudy + unitStudy + stageStudy

    private static let layerStudy: [Variant] = [(1, "81.8"), (3, nil), (7, nil)].map { layers, top1 in
        studied("ce\(layers)", top1: top1, remark: "81.8 to 82.6 from 1 layer on, 7 about as 5") {
            $0.ceLayers = layers
        }
    }

    private static let unitStudy: [Variant] = [
        studied("pure-mb", top1: "82.8") { $0.ceUnit = .pureMB },
        studied("dense", top1: "82.5") { $0.ceUnit = .dense },
        studied("shuffle", top1: "82.4") { $0.ceUnit = .shuffle },
        studied("resnet", remark: "below the other units") { $0.ceUnit = .resnet },
        studied("se-resnet", remark: "below the other units") { $0.ceUnit = .seResnet },
        studied("ghost", top1: "82.6") { $0.ceUnit = .ghost },
    ]

    /// Stages without a convolutional embedding are opened as Swin's are.
    private static let stageStudy: [Variant] = (0...3).map { stages in
        studied("stages\(stages)") {
            $0.embeddings = (0...3).map { $0 < stages ? .ce : $0 == 0 ? .patch : .merge }
        }
    }

    private static func studied(
        _ suffix: String, top1: String? = nil, remark: String? = nil, _ change: (inout ModelConfiguration) -> Void
    ) -> Variant {
        let base = cetnet[0]
        var configuration = base.configuration
        configuration.variant = base.name + "-" + suffix
        change(&configuration)
        return Variant(
            name: base.name + "-" + suffix, configuration: configuration,
            published: top1.map {
                [PublishedFigures(imageSize: 224, parameters: nil, multiplyAdds: nil, top1: $0)]
            } ?? [],
            publishedRemark: remark, source: paper)
    }
}
