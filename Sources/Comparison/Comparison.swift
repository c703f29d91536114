import CETNetReporting

/// Models measured side by side, and what follows from it.
package struct Comparison: Sendable {
    /// Under which all models were measured.
    package struct Settings: Sendable {
        package var threads: Int
        package var batch: Int
        package var rounds: Int
        /// Measured runs of each model in a round.
        package var runsPerRound: Int
        /// Billions of floating point operations per second that as many threads do at most.
        package var peak: Double
        /// The command that made it.
        package var command: String

        package init(threads: Int, batch: Int, rounds: Int, runsPerRound: Int, peak: Double, command: String) {
            self.threads = threads
            self.batch = batch
            self.rounds = rounds
            self.runsPerRound = runsPerRound
            self.peak = peak
            self.command = command
        }
    }

    /// One model of the comparison.
    package struct Entry: Sendable {
        package var model: ComparedModel
        package var measurement: ModelMeasurement
        /// Index of the entry that its ratio refers to; a baseline refers to itself.
        package var baseline: Int

        package init(model: ComparedModel, measurement: ModelMeasurement, baseline: Int) {
            self.model = model
            self.measurement = measurement
            self.baseline = baseline
        }
    }

    package let title: String
    /// What the comparison is to find out.
    package let question: String
    package let settings: Settings
    /// The machine as people read it, line by line.
    package let machineText: String
    /// The machine as files hold it.
    package let machineFields: JSON
    /// Reasons not to trust the figures.
    package let warnings: [String]
    /// In the order of tables.
    package let entries: [Entry]
    /// What tables and files say of each entry.
    package let rows: [Row]
    /// All pairs of entries.
    package let pairs: [Pair]

    /// The figures of one entry.
    package struct Row: Sendable {
        package let model: ComparedModel
        package let measurement: ModelMeasurement
        /// The name of the baseline; `nil` for one that is its own.
        package let baseline: String?
        package let ratio: PairedRatio
        /// Milliseconds per batch, all runs.
        package let medianTime: Double
        /// Milliseconds that 10 and 90 % of the runs stay below.
        package let spread: ClosedRange<Double>
        package let imagesPerSecond: Double
        /// Billions of floating point operations per second.
        package let gigaflops: Double
        /// 0...1.
        package let shareOfPeak: Double
    }

    /// Two entries, by index, and the ratio of the first's time to the second's.
    package struct Pair: Sendable {
        package let first: Int
        package let second: Int
        package let ratio: PairedRatio
    }

    /// - Parameter entries: at least one, each measured in all rounds.
    package init(
        title: String, question: String, settings: Settings, machineText: String, machineFields: JSON,
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
    package var closePairs: [Pair] { pairs.filter { $0.ratio.verdict == .tooClose } }

    /// Indices of the entries by median time, the fastest first.
    package var ranking: [Int] { rows.indices.sorted { rows[$0].medianTime < rows[$1].medianTime } }

    /// Whether two entries can be told apart.
    package func areTooClose(_ first: Int, _ second: Int) -> Bool {
        pairs.contains { Set([$0.first, $0.second]) == [first, second] && $0.ratio.verdict == .tooClose }
    }
}
