extension ModelConfiguration {
    /// What values may be. Far above any model of the field, and low enough that no count computed from them overflows
    /// and no configuration makes a program ask for memory that its weights do not justify.
    package enum Limit {
        static let channels = 1...8192
        static let depth = 1...512
        static let mlpRatio = 1...64
        static let ceLayers = 1...15
        static let windowSize = 1...32
        static let imageSize = Network.minimumImageSide...4096
        package static let labels = 1...1_000_000
        static let cropFraction = 0.1...1.0
    }

    /// Checks that the values describe a model.
    /// - Parameter source: what error messages call the configuration, usually a path.
    /// - Throws: ``ConfigurationError/invalidValue(source:key:expected:found:)`` for the first value that does not.
    public func validate(source: String = "configuration") throws(ConfigurationError) {
        func require(
            _ condition: Bool, _ key: String, _ expected: @autoclosure () -> String, _ found: @autoclosure () -> Any
        ) throws(ConfigurationError) {
            guard condition else {
                throw .invalidValue(source: source, key: key, expected: expected(), found: "\(found())")
            }
        }
        func require(_ values: [Int], in range: ClosedRange<Int>, _ key: String) throws(ConfigurationError) {
            try require(
                values.allSatisfy(range.contains), key, "numbers from \(range.lowerBound) to \(range.upperBound)",
                values)
        }
        func require(_ value: Int, in range: ClosedRange<Int>, _ key: String) throws(ConfigurationError) {
            try require(
                range.contains(value), key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }

        let stages = block.stageCount
        for (key, count) in [
            ("dims", dims.count), ("depths", depths.count), ("num_heads", numHeads.count),
            ("mlp_ratios", mlpRatios.count), ("embeddings", embeddings.count),
        ] {
            try require(
                count == stages, key, "\(stages) entries, one per stage of block \"\(block.rawValue)\"",
                "\(count) entries")
        }
        try require(dims, in: Limit.channels, "dims")
        try require(depths, in: Limit.depth, "depths")
        try require(mlpRatios, in: Limit.mlpRatio, "mlp_ratios")
        try require(numHeads, in: Limit.channels, "num_heads")
        for (dim, heads) in zip(dims, numHeads) {
            try require(dim % heads == 0, "num_heads", "numbers that divide \"dims\" \(dims)", numHeads)
        }
        if block == .cswin {
            for (stage, heads) in numHeads.enumerated() {
                try require(
                    heads % CrossShaped.stripes(stage: stage).count == 0, "num_heads",
                    "even numbers in all stages but the last, half for each kind of stripe", numHeads)
            }
        }
        try require(
            embeddings.first != .merge, "embeddings", "\"ce\", \"conv\" or \"patch\" in the first stage", "\"merge\"")
        try require(stemChannels.count == 2, "stem_channels", "2 entries", "\(stemChannels.count) entries")
        try require(stemChannels, in: Limit.channels, "stem_channels")
        try require(
            Limit.ceLayers.contains(ceLayers) && ceLayers % 2 == 1, "ce_layers",
            "an odd number from \(Limit.ceLayers.lowerBound) to \(Limit.ceLayers.upperBound)", ceLayers)
        try validateConvolutionalEmbeddings(source: source)
        try require(
            [.gelu, .quickGELU].contains(hiddenActivation), "hidden_act", "\"gelu\" or \"quick_gelu\"",
            "\"\(hiddenActivation.rawValue)\"")
        if let layerNormEpsilon {
            try require(
                layerNormEpsilon >= .leastNormalMagnitude && layerNormEpsilon < 1, "layer_norm_eps",
                "a number between 0 and 1", layerNormEpsilon)
        }
        try require(windowSize, in: Limit.windowSize, "window_size")
        try require(imageSize, in: Limit.imageSize, "image_size")
        try require(numLabels, in: Limit.labels, "num_labels")
        try require(
            Limit.cropFraction.contains(preprocess.cropFraction), "preprocess.crop_pct",
            "a number from \(Limit.cropFraction.lowerBound) to \(Limit.cropFraction.upperBound)",
            preprocess.cropFraction)
        try require(
            preprocess.mean.count == 3 && preprocess.mean.allSatisfy(\.isFinite), "preprocess.mean",
            "3 finite numbers", preprocess.mean)
        try require(
            preprocess.standardDeviation.count == 3
                && preprocess.standardDeviation.allSatisfy { $0.isFinite && $0 >= .leastNormalMagnitude },
            "preprocess.std", "3 positive numbers", preprocess.standardDeviation)
    }

    /// Checks that layers and unit of the convolutional embeddings go together and that there is an embedding made of
    /// the unit: a file must not claim what its model has not.
    private func validateConvolutionalEmbeddings(source: String) throws(ConfigurationError) {
        let unit = ceUnit
        func invalid(_ key: String, _ expected: String, _ found: String) -> ConfigurationError {
            .invalidValue(source: source, key: key, expected: expected, found: found)
        }
        guard unit != .mbconv else { return }
        if let layers = unit.requiredLayers, ceLayers != layers {
            throw invalid("ce_layers", "\(layers), as \"ce_unit\" \"\(unit.rawValue)\" needs", "\(ceLayers)")
        }
        guard ceLayers > 1 else {
            throw invalid(
                "ce_unit", "\"mbconv\", the default, as embeddings of 1 layer are a single convolution",
                "\"\(unit.rawValue)\"")
        }
        // Stage 0 has the unit only with "pure-mb".
        let stages = dims.indices.filter { embeddings[$0] == .ce && (unit == .pureMB || $0 > 0) }
        guard !stages.isEmpty else {
            throw invalid(
                "ce_unit", "\"mbconv\", the default, as no embedding is made of the unit", "\"\(unit.rawValue)\"")
        }
        let multiple = unit.channelMultiple
        guard stages.allSatisfy({ dims[$0] % multiple == 0 }) else {
            throw invalid(
                "dims",
                "multiples of \(multiple) in stages \(stages.map(String.init).joined(separator: ", ")), as "
                    + "\"ce_unit\" \"\(unit.rawValue)\" needs", "\(dims)")
        }
    }
}
