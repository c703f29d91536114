import CETNet
import CETNetGraph
import CETNetKernels
import CETNetMemory

/// Measures models in turn, round by round, so that a machine that becomes faster or slower meanwhile does so for all.
struct CompareRounds {
    /// Runs of a model in each round that count, and one before them that does not: it brings weights back into the
    /// caches that the models before have driven out.
    static let runsPerRound = 4

    /// How many rounds there are if nobody says.
    static let usualCount = 15
    /// After so many seconds there are fewer rounds than usual, though enough to tell models apart.
    static let usualSeconds = 80.0

    /// Billions of floating point operations per second of a loop of multiply-adds on registers: the best of all
    /// rounds.
    private(set) var peak = 0.0
    private(set) var roundCount = 0
    private let threads: Int
    private let kernels: KernelSet
    private let lanes: [Lane]
    private let profiles: [LayerProfile]
    private var rounds: [[[Double]]]

    /// Makes a session for each model and runs it twice.
    init(
        _ models: [(model: Model, imageSize: ImageSize)], threads: Int, batch: Int, seed: UInt64
    ) throws {
        self.threads = threads
        kernels = try KernelSet.selected()
        var lanes: [Lane] = []
        var profiles: [LayerProfile] = []
        for (model, imageSize) in models {
            let lane = try Lane(model, threads: threads, imageSize: imageSize, batch: batch, seed: seed)
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
    mutating func run() throws(ModelError) {
        let (round, count) = (roundCount, lanes.count)
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
        try passOnOutOfMemory { () throws(OutOfMemoryError) in
            peak = max(peak, try ComputeRate.fusedMultiplyAddPeak(threads: threads, kernels: kernels, seconds: 0.05))
        }
        roundCount += 1
    }

    /// Whether there are too few rounds yet.
    /// - Parameters:
    ///   - count: how many were asked for; `nil` if nobody said.
    ///   - start: when the first began.
    func wantsMore(than count: Int?, since start: ContinuousClock.Instant) -> Bool {
        if let count { return roundCount < count }
        guard roundCount < Self.usualCount else { return false }
        return roundCount < SignTest.leastCount || start.duration(to: .now) < .seconds(Self.usualSeconds)
    }

    /// What was measured of each model.
    var measurements: [ModelMeasurement] {
        lanes.indices.map { index in
            let profile = profiles[index]
            return ModelMeasurement(
                rounds: rounds[index],
                steps: zip(zip(profile.steps, Self.parts(profile.steps)), profile.costs).map { step, cost in
                    ModelMeasurement.Step(part: step.1, kind: step.0.kind, cost: cost)
                })
        }
    }

    /// The part that each step counts to: a copy to that of the step before.
    static func parts(_ steps: [Session.Step]) -> [Part] {
        var part = Part.image
        return steps.map { step in
            part = Part(rawValue: step.part) ?? part
            return part
        }
    }
}
