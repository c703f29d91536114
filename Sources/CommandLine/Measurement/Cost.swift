/// Time and work of some steps of a run.
struct Cost: Sendable, Equatable {
    var steps = 0
    var milliseconds = 0.0
    /// For the whole batch.
    var multiplyAdds = 0

    /// Billions of floating point operations per second; `nil` where nothing is multiplied.
    var gigaflops: Double? {
        multiplyAdds > 0 && milliseconds > 0 ? 2 * Double(multiplyAdds) / milliseconds / 1e6 : nil
    }
}

extension Sequence<Cost> {
    /// All together.
    var sum: Cost {
        reduce(into: Cost()) {
            $0.steps += $1.steps
            $0.milliseconds += $1.milliseconds
            $0.multiplyAdds += $1.multiplyAdds
        }
    }
}
