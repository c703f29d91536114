/// A tensor that a model file has to provide: its name in the PyTorch `state_dict` and its shape there.
public struct Parameter: Sendable, Hashable {
    /// What a parameter is for. Decides how it is initialised and whether it counts as trained.
    public enum Role: String, Sendable, Hashable {
        /// A matrix or filter that multiplies activations.
        case weight
        /// A vector that is added to activations.
        case bias
        /// The scale of a normalisation.
        case scale
        /// The mean that a BatchNorm learnt by running average; a buffer, not counted as a parameter.
        case runningMean
        /// The variance that a BatchNorm learnt by running average; a buffer, not counted as a parameter.
        case runningVariance
        /// A table of relative position biases, vectors of positions, or a class token.
        case positionBias
    }

    public var name: String
    public var shape: [Int]
    public var role: Role

    public init(name: String, shape: [Int], role: Role) {
        self.name = name
        self.shape = shape
        self.role = role
    }

    /// The number of scalars.
    public var count: Int { shape.reduce(1, *) }

    /// Whether training changes it by gradient descent, which is what parameter counts count.
    public var isTrained: Bool { role != .runningMean && role != .runningVariance }
}
