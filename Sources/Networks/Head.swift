import CETNetGraph

extension GraphBuilder {
    /// Layer normalisation, mean over all tokens, linear classifier.
    ///
    ///     H×W×C → 1×1×C → 1×1×labels
    mutating func head(_ input: ValueID, _ configuration: ModelConfiguration) -> ValueID {
        part = .head
        var x = layerNorm("norm", input)
        x = append("mean", .meanOverTokens, [x])
        return linear("head", x, outputChannels: configuration.numLabels)
    }
}
