import CETNet
import CETNetMeasurement

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
        var outcome: Result<Double, ModelError>?
        times.withUnsafeMutableBufferPointer { buffer in
            do throws(ModelError) {
                outcome = .success(try run(buffer))
            } catch {
                outcome = .failure(error)
            }
        }
        runs.append((try outcome!.get(), times))
    }

    /// Milliseconds of each step: means over the middle half of the runs.
    var times: [Double] {
        let chosen = runs.map(\.whole).indicesOfMiddleHalf
        return steps.indices.map { step in
            chosen.reduce(0) { $0 + runs[$1].steps[step] } / Double(chosen.count)
        }
    }

    /// Milliseconds of a whole run without a clock: the mean over the middle half of them.
    var wholeTime: Double {
        let chosen = unclocked.indicesOfMiddleHalf
        return chosen.reduce(0) { $0 + unclocked[$1] } / Double(chosen.count)
    }

    /// Steps of one kind together.
    struct Kind {
        let name: String
        var stepCount: Int
        var time: Double
        var multiplyAdds: Int
    }

    /// Sums by kind of operator, the slowest first.
    var kinds: [Kind] {
        var kinds: [Kind] = []
        for (step, time) in zip(steps, times) {
            let index: Int
            if let known = kinds.firstIndex(where: { $0.name == step.kind }) {
                index = known
            } else {
                index = kinds.count
                kinds.append(Kind(name: step.kind, stepCount: 0, time: 0, multiplyAdds: 0))
            }
            kinds[index].stepCount += 1
            kinds[index].time += time
            kinds[index].multiplyAdds += step.multiplyAdds
        }
        return kinds.sorted { $0.time > $1.time }
    }
}
