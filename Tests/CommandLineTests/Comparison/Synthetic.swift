import CETNetGraph

@testable import CETNetCommand

/// A comparison of invented measurements.
enum Synthetic {
    /// - Parameters:
    ///   - times: milliseconds of every model in a quiet round.
    ///   - drift: what each round multiplies all times by.
    ///   - top1: published accuracies, `nil` where there is none.
    static func comparison(
        names: [String], times: [Double], drift: [Double] = Array(repeating: 1, count: 15), top1: [String?]? = nil,
        baselines: [Int]? = nil, warnings: [String] = []
    ) -> Comparison {
        Comparison(
            title: "Invented <models> & more", question: "What is \"measured\"?",
            settings: Comparison.Settings(
                threads: 2, batch: 1, rounds: drift.count, runsPerRound: 3, peak: 200, command: "cetnet compare a b"),
            machineText: "machine     none", machineFields: ["processor": "none"],
            warnings: warnings,
            entries: names.indices.map { index in
                Comparison.Entry(
                    model: ComparedModel(
                        name: names[index], imageSize: "224x224", parameters: 1_234_000 * (index + 1),
                        multiplyAdds: 1_000_000_000 * (index + 1),
                        published: (top1?[index]).map { ComparedModel.Published(top1: $0, imageSide: 224) },
                        source: "Someone, Somewhere, arXiv 1234.56789"),
                    measurement: ModelMeasurement(
                        rounds: drift.map { factor in
                            [1, 1.25, 1.5].map { times[index] * factor * $0 }
                        },
                        steps: steps(milliseconds: times[index])),
                    baseline: baselines?[index] ?? 0)
            })
    }

    /// A quarter of the time in the embedding and the stem, a half in attention, an eighth in each of MLP and head.
    static func steps(milliseconds: Double) -> [ModelMeasurement.Step] {
        [
            step(.stem, "convolution", 100_000_000, milliseconds / 8),
            step(.convolutionalEmbedding, "depthwise convolution", 100_000_000, milliseconds / 8),
            step(.attention, "linear", 400_000_000, milliseconds / 2),
            step(.mlp, "linear", 400_000_000, milliseconds / 8),
            step(.head, "mean over tokens", 0, milliseconds / 8),
        ]
    }

    private static func step(
        _ part: Part, _ kind: String, _ multiplyAdds: Int, _ milliseconds: Double
    ) -> ModelMeasurement.Step {
        ModelMeasurement.Step(
            part: part, kind: kind, cost: Cost(steps: 1, milliseconds: milliseconds, multiplyAdds: multiplyAdds))
    }
}
