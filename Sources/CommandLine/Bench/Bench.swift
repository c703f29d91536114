import ArgumentParser
import CETNet
import CETNetEngine
import Foundation

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast a model runs on this machine.", discussion: BenchHelp.discussion)

    @Argument(
        help: ArgumentHelp(
            "Names of variants, which then get random weights, or models on disk; measured one after the other.",
            valueName: "variant|model"))
    var models: [ModelArgument]

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The image size, N or HxW; several separated by commas (default: the model's own).", valueName: "n|hxw,…"))
    var imageSize: SizeList?

    @Option(name: .long, help: ArgumentHelp("Images per run; several separated by commas.", valueName: "n,n…"))
    var batch = CountList([1])

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Threads of a run, several separated by commas (default: all CPUs that the process may use).",
            valueName: "n,n…"))
    var threads: CountList?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to measure each batch and thread count (default: 10); three runs at least.", valueName: "s"))
    var seconds: Double?

    @Option(name: .long, help: ArgumentHelp("How many runs to measure, instead of --seconds.", valueName: "n"))
    var runs: Int?

    @Option(
        name: .long, help: ArgumentHelp("Runs after the first one that are not measured.", valueName: "n"))
    var warmup = 3

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which code multiplies matrices: auto, the fastest here, or openblas for every product.",
            valueName: "auto|openblas"))
    var backend = Backend.automatic

    @OptionGroup var precision: PrecisionOption

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            How many sessions run at the same time, each with its own threads: throughput instead of latency; several \
            separated by commas.
            """, valueName: "n,n…"))
    var sessions = CountList([1])

    @Option(
        name: .long,
        help: ArgumentHelp("Run on these processors only, by their numbers: 0,2-3.", valueName: "list"))
    var pin: ProcessorList?

    @Flag(name: .long, help: "Also show the time of every step of the network, and the sums by kind of operator.")
    var perLayer = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The order of --per-layer's steps: as they are computed, or the slowest first (default: order).",
            valueName: "order|time"))
    var sort: LayerReport.Order?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Sum --per-layer's steps up by stage, by part of the architecture, or by both.", valueName: "stage|part"))
    var groupBy: Grouping?

    @Option(name: .long, help: ArgumentHelp("The seed of random weights and images.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Measure the whole way from the bytes of these JPEG and PNG files to labels: decoding, preprocessing and \
            the run, each told apart.
            """, valueName: "image"))
    var endToEnd: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Batches per second that come in whether or not the last is done: latency with waiting.", valueName: "n"))
    var rate: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Compare with the JSON file of an earlier run; status 3 if a median is slower.", valueName: "file"))
    var baseline: String?

    @Option(
        name: .long,
        help: ArgumentHelp("By how many per cent a median may be slower than --baseline's.", valueName: "percent"))
    var allow = 5.0

    @Option(
        name: .long,
        help: ArgumentHelp("With --per-layer: write a run's steps for chrome://tracing or Perfetto.", valueName: "file")
    )
    var trace: String?

    @Option(name: .long, help: ArgumentHelp("Write the figures to this file as JSON.", valueName: "file"))
    var json: String?

    @Option(name: .long, help: ArgumentHelp("Write the results to this file as a table.", valueName: "file"))
    var csv: String?

    func validate() throws {
        for (name, list, allowed) in [
            ("batch", batch, 1...1024), ("threads", threads ?? CountList([1]), 1...64), ("sessions", sessions, 1...64),
        ] {
            if let wrong = list.counts.first(where: { !allowed.contains($0) }) {
                throw ValidationError(
                    "--\(name) has \(wrong); allowed are \(allowed.lowerBound) to \(allowed.upperBound).")
            }
        }
        if seconds != nil, runs != nil { throw ValidationError("--seconds and --runs exclude each other.") }
        if let seconds, !(seconds > 0 && seconds <= 86_400) {
            throw ValidationError("--seconds is \(seconds); allowed is above 0, up to 86400.")
        }
        try Allowed.check("runs", runs, 1...1_000_000)
        try Allowed.check("warmup", warmup, 0...1_000_000)
        if perLayer, sessions.counts != [1] {
            throw ValidationError("--per-layer shows one session; --sessions must be 1.")
        }
        if sort != nil, !perLayer { throw ValidationError("--sort goes with --per-layer.") }
        if groupBy != nil, !perLayer { throw ValidationError("--group-by goes with --per-layer.") }
        if trace != nil, !perLayer { throw ValidationError("--trace goes with --per-layer.") }
        if let rate, !(rate > 0 && rate <= 1e6) {
            throw ValidationError("--rate is \(rate); allowed is above 0, up to 1000000.")
        }
        if rate != nil, perLayer { throw ValidationError("--rate and --per-layer exclude each other.") }
        if !(0...1000).contains(allow) { throw ValidationError("--allow is \(allow); allowed are 0 to 1000.") }
    }

    func run() throws {
        try OutputFile.check(json, csv, trace)
        let reference = try baseline.map { try BenchBaseline(path: $0) }
        let images = try EndToEnd.Images(endToEnd)
        try pin?.apply()
        var subjects: [BenchSubject] = []
        defer { for subject in subjects { subject.removeTemporaryFiles() } }
        for model in models { subjects.append(try BenchSubject(model, seed: seed)) }
        let duration = runs.map { Workload.Duration.runs($0) } ?? .seconds(seconds ?? 10)
        let watch = MachineWatch()

        // Everything that is measured comes before what it is compared with, whose matrices would count as memory.
        var measured: [Measured] = []
        var endToEnds: [EndToEnd] = []
        for subject in subjects {
            for threads in threads?.counts ?? [Processor.availableCount] {
                let (model, loadTime) = try subject.load(
                    backend: backend, precision: precision.precision, threads: threads)
                for workload in workloads(subject, model, threads: threads, loadTime: loadTime) {
                    let figures = try Failure.wrap(.unusable) {
                        try workload.measure(duration, warmup: warmup, perLayer: perLayer, rate: rate)
                    }
                    measured.append(Measured(subject: subject, workload: workload, figures: figures))
                }
                if !images.isEmpty {
                    endToEnds.append(
                        try Failure.wrap(.unusable) { try EndToEnd(model, images, duration, warmup: warmup) })
                }
            }
        }
        var machine = MachineReport(
            models: measured.map(\.workload.model), backend: backend, sessions: sessions.counts.max()!,
            seed: subjects.lazy.compactMap(\.seed).first)
        machine.processorsOfOthers = watch.processorsOfOthers
        let rates = try Failure.wrap(.unusable) { try ReferenceRates(threads: measured.map(\.workload.allThreads)) }
        let results = measured.map { one in
            BenchResult(
                model: ModelInPrecision(model: one.subject.model, precision: precision.precision).text,
                workload: one.workload, figures: one.figures, rates: rates.of(threads: one.workload.allThreads))
        }

        try Failure.wrap(.unusable) {
            if let json {
                try OutputFile.write(
                    BenchFiles.json(machine: machine, results: results, endToEnds: endToEnds), to: json)
            }
            if let csv { try OutputFile.write(BenchFiles.csv(machine: machine, results), to: csv) }
            if let trace { try OutputFile.write(BenchFiles.trace(results), to: trace) }
        }
        for warning in watch.warnings(machine: machine, results: results) { Console.report("Warning: \(warning)") }
        try Console.print(
            BenchReport.text(
                subjects: measured.map(\.subject), machine: machine, results: results,
                layers: perLayer ? LayerReport.Choice(order: sort ?? .order, grouping: groupBy) : nil))
        for endToEnd in endToEnds { try Console.print("\n" + endToEnd.text) }
        if let reference { try Console.print("\n" + (try reference.verdict(results, percent: allow))) }
    }

    private struct Measured {
        let subject: BenchSubject
        let workload: Workload
        let figures: Workload.Figures
    }

    /// Every size, number of sessions and batch that is asked for.
    private func workloads(_ subject: BenchSubject, _ model: Model, threads: Int, loadTime: Double) -> [Workload] {
        let sizes = imageSize?.sizes ?? [ImageSize(square: subject.configuration.imageSize)]
        return sizes.flatMap { size in
            sessions.counts.flatMap { sessions in
                batch.counts.map { batch in
                    Workload(
                        model: model, imageSize: size, batch: batch, threads: threads, sessions: sessions, seed: seed,
                        loadTime: loadTime)
                }
            }
        }
    }
}

extension Backend: ExpressibleByArgument {}

extension LayerReport.Order: ExpressibleByArgument {}

/// Positive whole numbers on the command line, separated by commas; each counts once.
struct CountList: ExpressibleByArgument {
    let counts: [Int]

    init(_ counts: [Int]) { self.counts = counts }

    init?(argument: String) {
        var counts: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let count = Int(part) else { return nil }
            if !counts.contains(count) { counts.append(count) }
        }
        self.counts = counts
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }
}
