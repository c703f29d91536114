/// The mean over all tokens; the output is 1×1.
struct MeanOverTokens: OperatorDefinition {
    var name: String { "mean over tokens" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        return TensorShape(height: 1, width: 1, channels: inputs[0].channels)
    }
}
