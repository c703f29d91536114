import CETNet
import CETNetCheckpoint

/// Models measured side by side, and what follows from it.
struct Comparison: Sendable {
    /// Under which all models were measured.
    struct Settings: Sendable {
        var threads: Int
        var batch: Int
        var rounds: Int
        /// Measured runs of each model in a round.
        var runsPerRound: Int
        /// Billions of floating point operations per second that as many threads do at most.
        var peak: Double
        /// The command that made it.
        var command: String
        /// What linear layers and dense convolutions are computed in: the name of a precision, or of several.
        var precisions = Precision.float32.rawValue
    }

    /// One model of the comparison.
    struct Entry: Sendable {
        var model: ComparedModel
        var measurement: ModelMeasurement
        /// Index of the entry that its ratio refers to; a baseline refers to itself.
        var baseline: Int
    }

    let title: String
    /// What the comparison is to find out.
    let question: String
    let settings: Settings
    /// The machine as people read it, line by line.
    let machineText: String
    /// The machine as files hold it.
    let machineFields: JSONValue
    /// Reasons not to trust the figures.
    let warnings: [String]
    /// In the order of tables.
    let entries: [Entry]
    /// What tables and files say of each entry.
    let rows: [Row]
    /// All pairs of entries.
    let pairs: [Pair]

    /// The figures of one entry.
    struct Row: Sendable {
        let model: ComparedModel
        let measurement: ModelMeasurement
        /// The name of the baseline; `nil` for one that is its own.
        let baseline: String?
        let ratio: PairedRatio
        /// Milliseconds per batch, all runs.
        let medianTime: Double
        /// Milliseconds that 10 and 90 % of the runs stay below.
        let spread: ClosedRange<Double>
        let imagesPerSecond: Double
        /// Billions of floating point operations per second.
        let gigaflops: Double
        /// 0...1.
        let shareOfPeak: Double
    }

    /// Two entries, by index, and the ratio of the first's time to the second's.
    struct Pair: Sendable {
        let first: Int
        let second: Int
        let ratio: PairedRatio
    }

    /// - Parameter entries: at least one, each measured in all rounds.
    init(
        title: String, question: String, settings: Settings, machineText: String, machineFields: JSONValue,
        warnings: [String], entries: [Entry]
    ) {
        precondition(!entries.isEmpty && entries.allSatisfy { $0.measurement.rounds.count == settings.rounds })
        self.title = title
        self.question = question
        self.settings = settings
        self.machineText = machineText
        self.machineFields = machineFields
        self.warnings = warnings
        self.entries = entries
        let roundTimes = entries.map(\.measurement.roundTimes)
        rows = entries.indices.map { index in
            let entry = entries[index]
            let times = entry.measurement.times
            let rate = Double(settings.batch) * 1000 / times.median
            let gigaflops = 2 * Double(entry.model.multiplyAdds) * rate / 1e9
            return Row(
                model: entry.model, measurement: entry.measurement,
                baseline: entry.baseline == index ? nil : entries[entry.baseline].model.name,
                ratio: PairedRatio(of: roundTimes[index], to: roundTimes[entry.baseline]),
                medianTime: times.median, spread: times.percentile(10)...times.percentile(90), imagesPerSecond: rate,
                gigaflops: gigaflops, shareOfPeak: gigaflops / settings.peak)
        }
        pairs = entries.indices.flatMap { first in
            entries.indices.dropFirst(first + 1).map { second in
                Pair(
                    first: first, second: second,
                    ratio: PairedRatio(of: roundTimes[first], to: roundTimes[second]))
            }
        }
    }

    /// Pairs of which neither can be called the faster.
    var closePairs: [Pair] { pairs.filter { $0.ratio.verdict == .tooClose } }

    /// Pairs whose rounds were too disturbed to say anything.
    var noisyPairs: [Pair] { pairs.filter { $0.ratio.verdict == .tooNoisy } }

    /// A pair the way round that the table has it, where one is the other's baseline: its baseline second.
    func oriented(_ pair: Pair) -> Pair {
        guard entries[pair.second].baseline == pair.first, entries[pair.first].baseline != pair.second else {
            return pair
        }
        let (first, second) = (entries[pair.second].measurement, entries[pair.first].measurement)
        return Pair(
            first: pair.second, second: pair.first,
            ratio: PairedRatio(of: first.roundTimes, to: second.roundTimes))
    }

    /// Entries in order of their time, in the largest groups of neighbours of which none is told apart from another. A
    /// model may be in two groups, and a group of one is a model that is told apart from both neighbours.
    var groups: [[Int]] {
        var groups: [[Int]] = []
        let order = ranking
        for start in order.indices {
            let end =
                order[start...].indices.first { index in
                    order[start..<index].contains { !isUndecided($0, order[index]) }
                } ?? order.endIndex
            let group = Array(order[start..<end])
            if groups.last.map({ Set(group).isSubset(of: $0) }) != true { groups.append(group) }
        }
        return groups
    }

    /// Whether neither of two entries can be called the faster, for whatever reason.
    func isUndecided(_ first: Int, _ second: Int) -> Bool {
        pairs.contains {
            Set([$0.first, $0.second]) == [first, second] && [.tooClose, .tooNoisy].contains($0.ratio.verdict)
        }
    }

    /// Indices of the entries by median time, the fastest first.
    var ranking: [Int] { rows.indices.sorted { rows[$0].medianTime < rows[$1].medianTime } }

    /// Whether two entries can be told apart.
    func areTooClose(_ first: Int, _ second: Int) -> Bool {
        pairs.contains { Set([$0.first, $0.second]) == [first, second] && $0.ratio.verdict == .tooClose }
    }
}
