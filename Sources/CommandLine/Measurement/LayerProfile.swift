import CETNet

/// Times of the steps of a network, over many runs.
final class LayerProfile {
    let steps: [Session.Step]
    let batch: Int
    /// Milliseconds of whole runs without a clock, made in turn with those recorded here.
    var unclocked: [Double] = []
    /// Milliseconds of whole runs with a clock, and of their steps.
    private var runs: [(whole: Double, steps: [Double])] = []

    init(steps: [Session.Step], batch: Int) {
        self.steps = steps
        self.batch = batch
    }

    /// Records one run, which adds the milliseconds of each step to the buffer and returns those of the whole.
    func record(_ run: (UnsafeMutableBufferPointer<Double>) throws(ModelError) -> Double) throws(ModelError) {
        var times = [Double](repeating: 0, count: steps.count)
        let whole = try times.withUnsafeMutableBufferPointer { buffer throws(ModelError) in try run(buffer) }
        runs.append((whole, times))
    }

    /// What each step costs: means over the middle half of the runs.
    var costs: [Cost] {
        let chosen = runs.map(\.whole).indicesOfMiddleHalf
        return steps.indices.map { step in
            Cost(
                steps: 1, milliseconds: chosen.reduce(0) { $0 + runs[$1].steps[step] } / Double(chosen.count),
                multiplyAdds: steps[step].multiplyAdds * batch)
        }
    }

    /// Milliseconds of a whole run without a clock: the mean over the middle half of them.
    var wholeTime: Double {
        let chosen = unclocked.indicesOfMiddleHalf
        return chosen.reduce(0) { $0 + unclocked[$1] } / Double(chosen.count)
    }

    /// The steps' costs by a name, in the order in which they are first computed.
    func costs(by name: (Session.Step) -> String) -> [(name: String, cost: Cost)] {
        zip(steps, costs).grouped { name($0.0) }.map { ($0.key, $0.elements.map(\.1).sum) }
    }
}
