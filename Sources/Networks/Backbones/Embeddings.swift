import CETNetGraph

extension ModelConfiguration {
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

        /// Appends the embedding of a stage to a map; returns its tokens.
        var append: @Sendable (_ builder: inout GraphBuilder, _ x: ValueID, _ stage: Stage) -> ValueID {
            switch self {
            case .ce: { $0.convolutionalEmbedding($1, $2) }
            case .conv: { $0.overlappingEmbedding($1, $2) }
            case .patch: { $0.patchEmbedding($1, $2) }
            case .merge: { $0.patchMerging($1, $2) }
            }
        }
    }
}

extension GraphBuilder {
    /// Patch embedding: a convolution whose stride is its kernel, without padding, then layer normalisation.
    ///
    ///     H×W×C → ⌊H/4⌋×⌊W/4⌋×C′ in stage 0, ⌊H/2⌋×⌊W/2⌋×C′ later
    ///
    /// In dense models an image is padded with zeros right and bottom first: ⌈H/4⌉×⌈W/4⌉×C′.
    mutating func patchEmbedding(_ input: ValueID, _ stage: Stage) -> ValueID {
        let name = stage.name + ".embed"
        let side = stage.index == 0 ? 4 : 2
        part = .patchEmbedding
        var x = input
        if stage.index == 0, stage.configuration.task != .classification {
            x = append(name + ".pad", .zeroPadding(ZeroPadding(multiple: side)), [x])
        }
        let y = projection(name, x, outputChannels: stage.channels, kernel: side, stride: side, padding: 0)
        return layerNorm(name + ".norm", y)
    }

    /// Overlapping patch embedding (CvT, arXiv 2103.15808, section 3.1): a convolution whose kernel is larger than its
    /// stride, then layer normalisation: 7×7 of stride 4, padded by 2, in stage 0; 3×3 of stride 2, padded by 1, later.
    mutating func overlappingEmbedding(_ x: ValueID, _ stage: Stage) -> ValueID {
        let name = stage.name + ".embed"
        part = .patchEmbedding
        let y =
            stage.index == 0
            ? projection(name, x, outputChannels: stage.channels, kernel: 7, stride: 4, padding: 2)
            : projection(name, x, outputChannels: stage.channels, kernel: 3, stride: 2, padding: 1)
        return layerNorm(name + ".norm", y)
    }

    /// Patch merging (Swin Transformer, arXiv 2103.14030, section 3.1): 2×2 neighbours side by side, layer
    /// normalisation, a linear layer without bias. A map of odd size is padded with zeros right and bottom first.
    ///
    ///     H×W×C → ⌈H/2⌉×⌈W/2⌉×4C → ⌈H/2⌉×⌈W/2⌉×C′
    mutating func patchMerging(_ x: ValueID, _ stage: Stage) -> ValueID {
        let name = stage.name + ".embed"
        part = .patchEmbedding
        var y = append(name + ".gather", .patchGathering, [x])
        y = layerNorm(name + ".norm", y)
        return linear(name + ".reduction", y, outputChannels: stage.channels, bias: false)
    }

    /// `name.proj`: a convolution with bias.
    mutating func projection(
        _ name: String, _ x: ValueID, outputChannels: Int, kernel: Int, stride: Int, padding: Int
    ) -> ValueID {
        let convolution = Convolution(
            name: name + ".proj", inputChannels: shape(of: x).channels, outputChannels: outputChannels, kernel: kernel,
            stride: stride, padding: padding, bias: true)
        return append(name + ".proj", .convolution(convolution), [x])
    }
}
