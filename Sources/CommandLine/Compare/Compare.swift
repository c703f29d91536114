import ArgumentParser
import CETNet
import CETNetEngine
import Foundation

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure several models side by side, and say what each one's accuracy costs on this machine.",
        discussion: CompareHelp.discussion)

    @Argument(
        help: ArgumentHelp(
            """
            Names of variants or configurations (.json files), which then get random weights, or models on disk; \
            MODEL:int8 or MODEL:bfloat16 for one in another precision.
            """, valueName: "variant|model"))
    var models: [ModelArgument] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Compare the variants of a study: layers, units, stages, family or backbones.", valueName: "name"))
    var study: Variant.Study?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The model that ratios refer to (default: the study's own, else the first).", valueName: "variant|model"))
    var baseline: String?

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    @Option(name: .long, help: ArgumentHelp("Images per run.", valueName: "n"))
    var batch = 1

    @Option(
        name: .long,
        help: ArgumentHelp("The image size, N or HxW (default: each model's own).", valueName: "n|hxw"))
    var imageSize: SizeArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Rounds; in each, every model is run \(CompareRounds.runsPerRound + 2) times (default: \
            \(CompareRounds.usualCount), but no more after \(Int(CompareRounds.usualSeconds)) seconds once there are \
            \(SignTest.leastCount)).
            """, valueName: "n"))
    var rounds: Int?

    @Option(name: .long, help: ArgumentHelp("The seed of random weights and images.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write report.html, report.md with its plots, report.json and report.csv to this directory.",
            valueName: "dir"))
    var report: String?

    @Option(name: .long, help: ArgumentHelp("Write the figures to this file as JSON.", valueName: "file"))
    var json: String?

    @Option(name: .long, help: ArgumentHelp("Write the figures to this file as a table.", valueName: "file"))
    var csv: String?

    func validate() throws {
        if models.isEmpty, study == nil { throw ValidationError("Name models to compare, or a --study.") }
        try Allowed.check("batch", batch, 1...1024)
        try Allowed.check("rounds", rounds, 1...10_000)
    }

    func run() throws {
        let arguments = try chosen()
        let names = Self.distinct(arguments.map(\.text))
        let subjects = try zip(arguments, names).map {
            try CompareSubject($0.model, name: $1, precision: $0.precision, imageSize: imageSize?.size)
        }
        let baselines = try baselines(arguments)
        try checkMemory(subjects)
        // Before anything is measured in vain.
        let directory = try report.map { try OutputFile.directory($0) }
        try OutputFile.check(json, csv)

        let threads = threads.threads ?? min(Processor.availableCount, 64)
        let watch = MachineWatch()
        let (measured, machine) = try measure(subjects, threads: threads)
        var machineReport = machine
        let measurements = measured.measurements
        machineReport.processorsOfOthers = watch.processorsOfOthers
        let comparison = Comparison(
            title: study?.title ?? names.formatted(.list(type: .and, width: .narrow)),
            question: study?.question ?? "What does each of these models cost on this machine?",
            settings: Comparison.Settings(
                threads: threads, batch: batch, rounds: measured.roundCount, runsPerRound: CompareRounds.runsPerRound,
                peak: measured.peak, command: Self.command, precisions: machine.precision),
            machineText: machineReport.text, machineFields: .object(machineReport.fields),
            warnings: watch.warnings(machine: machineReport, results: []),
            entries: subjects.indices.map {
                Comparison.Entry(
                    model: subjects[$0].compared, measurement: measurements[$0], baseline: baselines[$0])
            })

        try Failure.wrap(.unusable) {
            if let json { try OutputFile.write(ComparisonFiles.json(comparison), to: json) }
            if let csv { try OutputFile.write(ComparisonFiles.csv(comparison), to: csv) }
            for (name, text) in directory == nil ? [] : ComparisonReport.files(comparison) {
                try OutputFile.write(text, to: directory!.appendingPathComponent(name).path)
            }
        }
        for warning in comparison.warnings { Console.report("Warning: \(warning)") }
        try Console.print(ComparisonText.text(comparison))
    }

    /// What to compare, as on the command line: the study's variants, then the models named.
    private func chosen() throws(Failure) -> [ModelInPrecision] {
        let variants = study?.variants.map { ModelArgument(argument: $0.name) } ?? []
        if let study, variants.isEmpty {
            throw Failure(status: .unusable, message: "this version has no variants of the study '\(study.rawValue)'.")
        }
        return try (variants + models).map { argument throws(Failure) in
            try ModelInPrecision(argument, otherwise: precision.precision)
        }
    }

    /// Names for reports: a model that is named twice gets a number, so that it can be compared with itself.
    static func distinct(_ arguments: [String]) -> [String] {
        var counts: [String: Int] = [:]
        return arguments.map { argument in
            let count = counts[argument, default: 0] + 1
            counts[argument] = count
            return count == 1 ? argument : "\(argument) (\(count))"
        }
    }

    /// The index of each model's baseline.
    private func baselines(_ arguments: [ModelInPrecision]) throws(Failure) -> [Int] {
        if let baseline {
            guard
                let index = arguments.firstIndex(where: { $0.text == baseline })
                    ?? arguments.firstIndex(where: { $0.model.text == baseline })
            else {
                throw Failure(
                    status: .unusable, message: "--baseline is '\(baseline)', which is none of the models compared.")
            }
            return arguments.map { _ in index }
        }
        return arguments.map { argument in
            study.flatMap { study in
                arguments.firstIndex { $0.model.text == study.baseline(of: argument.model.text) }
            } ?? 0
        }
    }

    /// All models are in memory at the same time, because they are measured in turn.
    private func checkMemory(_ subjects: [CompareSubject]) throws(Failure) {
        let needed = subjects.reduce(0) { $0 + $1.weightBytes }
        let available = ProcessInfo.processInfo.physicalMemory
        guard UInt64(needed) <= available / 4 * 3 else {
            throw Failure(
                status: .unusable,
                message: """
                    the models' weights take \(needed >> 20) MiB together, this machine has \(available >> 20); \
                    compare fewer at a time.
                    """)
        }
    }

    private func measure(
        _ subjects: [CompareSubject], threads: Int
    ) throws(Failure) -> (CompareRounds, MachineReport) {
        let progress = ProgressBar(total: subjects.count * ((rounds ?? CompareRounds.usualCount) + 1), noun: "turns")
        var models: [(model: Model, imageSize: ImageSize)] = []
        for subject in subjects {
            let options = Model.Options(precision: subject.precision, threads: threads, concurrency: 1)
            models.append((try subject.source.load(options, seed: seed), subject.imageSize))
            progress.show(models.count)
        }
        defer { progress.clear() }
        let machine = MachineReport(models: models.map(\.model), backend: .automatic, sessions: 1, seed: seed)
        let loaded = models
        return try Failure.wrap(.unusable) {
            var measured = try CompareRounds(loaded, threads: threads, batch: batch, seed: seed)
            let start = ContinuousClock.now
            while measured.wantsMore(than: rounds, since: start) {
                try measured.run()
                progress.show((measured.roundCount + 1) * subjects.count)
            }
            return (measured, machine)
        }
    }

    /// The command line as one would type it again.
    private static var command: String {
        (["cetnet"] + CommandLine.arguments.dropFirst()).map { argument in
            argument.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,+:@".contains($0) } && !argument.isEmpty
                ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
    }
}

extension Variant.Study: ExpressibleByArgument {}
