import CETNet
import CETNetComparison

/// Measures models in turn, round by round, so that a machine that becomes faster or slower meanwhile does so for all.
struct CompareRounds {
    /// Runs of a model in each round that count, and one before them that does not: it brings weights back into the
    /// caches that the models before have driven out.
    static let runsPerRound = 4

    private let lanes: [BenchLane]
    private let profiles: [LayerProfile]
    private var rounds: [[[Double]]]

    /// Makes a session for each model and runs it twice.
    init(
        _ models: [(model: Model, imageSize: ImageSize)], threads: Int, batch: Int, seed: UInt64
    ) throws(ModelError) {
        var lanes: [BenchLane] = []
        var profiles: [LayerProfile] = []
        for (model, imageSize) in models {
            let lane = try BenchLane(model, threads: threads, imageSize: imageSize, batch: batch, seed: seed)
            for _ in 0..<2 { _ = try lane.run() }
            lanes.append(lane)
            profiles.append(LayerProfile(steps: try lane.session.steps(imageSize: imageSize), batch: batch))
        }
        self.lanes = lanes
        self.profiles = profiles
        rounds = Array(repeating: [], count: lanes.count)
    }

    /// One round: each model once not measured, ``runsPerRound`` times measured, once with a clock in every step.
    ///
    /// The order is turned by one from round to round, and reversed in every second one, so that each model comes
    /// after each other.
    mutating func run(round: Int) throws(ModelError) {
        let count = lanes.count
        for position in 0..<count {
            let turned = (position + round / 2) % count
            let index = round % 2 == 0 ? turned : count - 1 - turned
            let lane = lanes[index]
            _ = try lane.run()
            var times: [Double] = []
            for _ in 0..<Self.runsPerRound { times.append(try lane.run()) }
            rounds[index].append(times)
            try profiles[index].record { steps throws(ModelError) in try lane.profile(into: steps) }
        }
    }

    /// What was measured of each model.
    var measurements: [ModelMeasurement] {
        lanes.indices.map { index in
            let profile = profiles[index]
            return ModelMeasurement(
                rounds: rounds[index],
                steps: zip(profile.steps, profile.times).map { step, time in
                    ModelMeasurement.StepTime(
                        part: step.part, kind: step.kind, multiplyAdds: step.multiplyAdds * profile.batch,
                        milliseconds: time)
                })
        }
    }
}
