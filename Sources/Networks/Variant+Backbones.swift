extension Variant {
    /// Other backbones as published, each followed by its forms with the convolutional embedding. The CE forms' widths
    /// and depths were fitted to the parameters and multiply-adds that the paper prints.
    static let backbones: [Variant] = swin + cvt + pvt + cswin

    private static let cePaper =
        "Wang et al., Convolutional Embedding Makes Hierarchical Vision Transformer Stronger, ECCV 2022, "
        + "arXiv 2207.13317"

    // MARK: Swin

    private static let swin: [Variant] = [
        swin("swin-t", width: 96, depths: [2, 2, 6, 2], published("29 M", "4.5 G", "81.3")),
        swin("swin-s", width: 96, depths: [2, 2, 18, 2], published("50 M", "8.7 G", "83.0")),
        swin("swin-b", width: 128, depths: [2, 2, 18, 2], published("88 M", "15.4 G", "83.5")),
        swin(
            "ce-swin-t", width: 64, depths: [2, 2, 16, 2], stemChannels: [24, 48],
            published("23.4 M", "4.3 G", "82.5")),
        swin(
            "ce-swin-s", width: 96, depths: [2, 2, 14, 2], stemChannels: [36, 72],
            published("48.2 M", "8.8 G", "83.6")),
        swin(
            "ce-swin-b", width: 128, depths: [2, 2, 14, 2], stemChannels: [48, 96],
            published("85.2 M", "15.5 G", "84.0")),
    ]

    /// Widths double from stage to stage; heads have 32 channels.
    private static func swin(
        _ name: String, width: Int, depths: [Int], stemChannels: [Int]? = nil, _ published: PublishedFigures
    ) -> Variant {
        let dims = [1, 2, 4, 8].map { width * $0 }
        return backbone(
            name, .swin, dims: dims, depths: depths, numHeads: dims.map { $0 / 32 },
            embeddings: [.patch, .merge, .merge, .merge], stemChannels: stemChannels, published,
            source: "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021, "
                + "arXiv 2103.14030")
    }

    // MARK: CvT

    private static let cvt: [Variant] = [
        cvt("cvt-13", depths: [1, 2, 10], published("20 M", "4.5 G", "81.6")),
        cvt("ce-cvt-13", depths: [1, 1, 10], stemChannels: [16, 32], published("20.0 M", "4.4 G", "82.1")),
    ]

    private static func cvt(
        _ name: String, depths: [Int], stemChannels: [Int]? = nil, _ published: PublishedFigures
    ) -> Variant {
        backbone(
            name, .cvt, dims: [64, 192, 384], depths: depths, numHeads: [1, 3, 6],
            embeddings: [.conv, .conv, .conv], stemChannels: stemChannels, published,
            source: "Wu et al., CvT: Introducing Convolutions to Vision Transformers, ICCV 2021, arXiv 2103.15808")
    }

    // MARK: PVT

    private static let pvt: [Variant] = [
        pvt("pvt-s", depths: [3, 4, 6, 3], published("24.5 M", "3.8 G", "79.8")),
        pvt("ce-pvt-s", depths: [2, 3, 6, 2], stemChannels: [16, 32], published("22.6 M", "3.7 G", "81.1")),
    ]

    private static func pvt(
        _ name: String, depths: [Int], stemChannels: [Int]? = nil, _ published: PublishedFigures
    ) -> Variant {
        backbone(
            name, .pvt, dims: [64, 128, 320, 512], depths: depths, numHeads: [1, 2, 5, 8], mlpRatios: [8, 8, 4, 4],
            embeddings: [.patch, .patch, .patch, .patch], stemChannels: stemChannels, published,
            source: "Wang et al., Pyramid Vision Transformer: A Versatile Backbone for Dense Prediction without "
                + "Convolutions, ICCV 2021, arXiv 2102.12122")
    }

    // MARK: CSWin

    private static let cswin: [Variant] = [
        cswin("cswin-t", width: 64, depths: [1, 2, 21, 1], heads: 2, published("23 M", "4.3 G", "82.7")),
        cswin(
            "ce-cswin-t", width: 64, depths: [1, 2, 18, 1], heads: 2, stemChannels: [16, 32],
            published("21.6 M", "4.2 G", "83.6")),
        cswin(
            "ce-cswin-s", width: 64, depths: [2, 4, 29, 2], heads: 2, stemChannels: [16, 32],
            published("33.9 M", "6.6 G", "84.1")),
        cswin(
            "ce-cswin-b", width: 96, depths: [2, 4, 29, 2], heads: 4, stemChannels: [24, 48],
            published("75.8 M", "14.7 G", "84.7")),
    ]

    /// Widths and heads double from stage to stage.
    private static func cswin(
        _ name: String, width: Int, depths: [Int], heads: Int, stemChannels: [Int]? = nil,
        _ published: PublishedFigures
    ) -> Variant {
        backbone(
            name, .cswin, dims: [1, 2, 4, 8].map { width * $0 }, depths: depths,
            numHeads: [1, 2, 4, 8].map { heads * $0 }, embeddings: [.conv, .conv, .conv, .conv],
            stemChannels: stemChannels, published,
            source: "Dong et al., CSWin Transformer: A General Vision Transformer Backbone with Cross-Shaped Windows, "
                + "CVPR 2022, arXiv 2107.00652")
    }

    // MARK: Rows

    private static func published(_ parameters: String, _ multiplyAdds: String, _ top1: String) -> PublishedFigures {
        PublishedFigures(imageSize: 224, parameters: parameters, multiplyAdds: multiplyAdds, top1: top1)
    }

    /// A backbone with its own embeddings or, where the stem's channels are given, with convolutional embeddings.
    private static func backbone(
        _ name: String, _ block: ModelConfiguration.Block, dims: [Int], depths: [Int], numHeads: [Int],
        mlpRatios: [Int]? = nil, embeddings: [ModelConfiguration.Embedding], stemChannels: [Int]?,
        _ published: PublishedFigures, source: String
    ) -> Variant {
        let usesCE = stemChannels != nil
        return Variant(
            name: name,
            configuration: ModelConfiguration(
                variant: name, dims: dims, depths: depths, numHeads: numHeads, mlpRatios: mlpRatios, block: block,
                embeddings: usesCE ? nil : embeddings, stemChannels: stemChannels ?? [24, 48]),
            published: [published], publishedRemark: nil, source: usesCE ? cePaper : source)
    }
}
