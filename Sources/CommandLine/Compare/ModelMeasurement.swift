import CETNetGraph

/// What was measured of one model of a comparison.
struct ModelMeasurement: Sendable {
    /// Milliseconds per batch of the runs of each round; every model has as many rounds, and no round is empty.
    var rounds: [[Double]]
    /// The steps of a run with their times; empty if nobody looked.
    var steps: [Step]

    /// A step of a run.
    struct Step: Sendable {
        var part: Part
        /// What it computes, in the field's names for operators.
        var kind: String
        var cost: Cost
    }

    /// All runs.
    var times: Distribution { Distribution(rounds.joined()) }

    /// What stands for each round: the fastest of its runs. Whatever else the machine does only adds to the others.
    var roundTimes: [Double] { rounds.map { Distribution($0).min } }

    /// The steps for which `isIncluded` is true, together.
    func cost(_ isIncluded: (Step) -> Bool) -> Cost { steps.filter(isIncluded).map(\.cost).sum }

    /// Parts that take time, in the order of the architecture.
    var parts: [Part] { Part.allCases.filter { cost(of: $0).milliseconds > 0 } }

    func cost(of part: Part) -> Cost { cost { $0.part == part } }

    /// All steps together; less or more than ``times`` by what the clock costs.
    var sum: Cost { cost { _ in true } }

    /// Share of the time of all steps, 0...1; 0 if nobody looked.
    func share(of group: PartGroup) -> Double {
        let whole = sum.milliseconds
        return whole > 0 ? cost { PartGroup($0.part) == group }.milliseconds / whole : 0
    }

    /// The kinds of steps of the stem and the embeddings, the slowest first.
    var embeddingKinds: [(kind: String, cost: Cost)] {
        steps.filter { PartGroup($0.part) == .convolutionalEmbedding }.grouped(by: \.kind)
            .map { ($0.key, $0.elements.map(\.cost).sum) }
            .sorted { ($1.cost.milliseconds, $0.kind) < ($0.cost.milliseconds, $1.kind) }
    }
}
