import CETNet

/// Times of the steps of a network, over many runs.
final class LayerProfile {
    let steps: [Session.Step]
    let batch: Int
    /// Milliseconds of whole runs without a clock, made in turn with those recorded here.
    var unclocked: [Double] = []
    /// Milliseconds of whole runs with a clock, and of their steps.
    private var runs: [(whole: Double, steps: [Double])] = []

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

    /// Several steps together.
    struct Sum {
        let name: String
        var stepCount = 0
        var time = 0.0
        var multiplyAdds = 0
    }

    /// Sums by kind of operator, the slowest first.
    var kinds: [Sum] { sums(\.kind).sorted { $0.time > $1.time } }

    /// Sums by part, stage, or both, in the order in which they are first computed.
    func sums(by grouping: Grouping) -> [Sum] {
        sums { grouping.group(part: $0.part, stage: $0.stage) }
    }

    private func sums(_ name: (Session.Step) -> String) -> [Sum] {
        var result: [Sum] = []
        for (step, time) in zip(steps, times) {
            let own = name(step)
            let index = result.firstIndex { $0.name == own } ?? result.count
            if index == result.count { result.append(Sum(name: own)) }
            result[index].stepCount += 1
            result[index].time += time
            result[index].multiplyAdds += step.multiplyAdds
        }
        return result
    }
}
