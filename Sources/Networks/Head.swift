import CETNetGraph

extension GraphBuilder {
    /// Layer normalisation, mean over all tokens, linear classifier; where there is a class token, it alone is
    /// normalised and classified.
    ///
    ///     H×W×C → 1×1×C → 1×1×labels
    mutating func head(_ input: ValueID, _ configuration: ModelConfiguration) -> ValueID {
        part = .head
        let epsilon = configuration.block == .pvt ? Pyramid.epsilon : 1e-5
        if shape(of: input).classTokens > 0 {
            var x = append("token", .takeClassToken, [input])
            x = layerNorm("norm", x, epsilon: epsilon)
            return linear("head", x, outputChannels: configuration.numLabels)
        }
        var x = layerNorm("norm", input, epsilon: epsilon)
        x = append("mean", .meanOverTokens, [x])
        return linear("head", x, outputChannels: configuration.numLabels)
    }
}
