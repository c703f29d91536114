/// A pointwise non-linearity.
public enum Activation: String, CaseIterable, OperatorDefinition {
    /// `x · Φ(x)` with the exact normal distribution function (the `erf` form, not the `tanh` approximation).
    case gelu
    /// `x · sigmoid(1.702 x)`.
    case quickGELU = "quick_gelu"
    /// `max(x, 0)`.
    case relu
    /// `1 / (1 + exp(−x))`.
    case sigmoid

    /// The field's name for it, as tables print it.
    public var name: String {
        switch self {
        case .gelu: "GELU"
        case .quickGELU: "QuickGELU"
        case .relu: "ReLU"
        case .sigmoid: "sigmoid"
        }
    }

    public func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        return inputs[0]
    }
}
