import Foundation
import TestSupport
import Testing

/// What `cetnet bench` says and writes. How fast anything is, is no matter for a test.
@Suite struct BenchTests {
    private static let resultKeys = [
        "model", "image_size", "batch", "threads", "sessions", "load_ms", "first_run_ms", "mean_ms", "median_ms",
        "min_ms",
        "max_ms",
        "p90_ms", "p95_ms", "p99_ms", "images_per_second", "gflops", "sgemm_gflops", "peak_gflops", "peak_rss_bytes",
        "arena_bytes", "weights_bytes", "allocations_per_run",
    ]

    @Test func filesHoldOneResultForEachBatchAndThreadCount() throws {
        let directory = try directoryWithTinyModel()
        let model = directory.path("tiny")
        let (jsonPath, csvPath) = (directory.path("figures.json"), directory.path("figures.csv"))
        let command = try Command(
            "bench", model, "--image-size", "48x64", "--batch", "1,3", "--threads", "1,2", "--runs", "5", "--warmup",
            "1", "--json", jsonPath, "--csv", csvPath, countingAllocations: true)
        #expect(command.status == 0, "\(command.errors)")

        let text = try String(contentsOfFile: jsonPath, encoding: .utf8)
        let report = try json(text)
        #expect(Set(report.keys) == ["machine", "results"])
        let machine = try #require(report["machine"] as? [String: Any])
        for key in [
            "processor", "architecture", "operating_system", "kernel_tier", "backend", "precision", "openblas_version",
            "openblas_core", "openblas_threading", "swift_compiler", "c_compiler", "configuration", "version",
        ] {
            #expect(machine[key] is String, "\(key): \(String(describing: machine[key]))")
        }
        let results = try #require(report["results"] as? [[String: Any]])
        #expect(results.map { [$0["threads"] as? Int, $0["batch"] as? Int] } == [[1, 1], [1, 3], [2, 1], [2, 3]])
        let lines = text.split(separator: "\n").filter { $0.contains("\"median_ms\"") }
        #expect(lines.count == 4)
        let details = ["multiply_adds", "executed_multiply_adds", "samples_ms"]
        for line in lines { #expect(keys(String(line)) == Self.resultKeys + details) }
        for result in results { try check(result, model: model) }

        let rows = try String(contentsOfFile: csvPath, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let origin = [
            "date", "commit", "governor", "processor", "version", "kernel_tier", "backend", "configuration",
        ]
        #expect(rows.first == Self.resultKeys + origin)
        try #require(rows.count == 1 + results.count)
        for (row, result) in zip(rows.dropFirst(), results) {
            for (key, cell) in zip(Self.resultKeys, row) {
                if let number = result[key] as? Double {
                    #expect(Double(cell) == number, "\(key)")
                } else {
                    #expect(cell == result[key] as? String ?? "", "\(key)")
                }
            }
        }
    }

    @Test func modelsSizesAndSessionsAreMeasuredOneAfterTheOther() throws {
        let directory = try directoryWithTinyModel()
        let (tiny, path) = (directory.path("tiny"), directory.path("figures.json"))
        _ = try directory.write(Array(TinyModel.configurationJSON.utf8), to: "small.json")
        let command = try Command(
            "bench", tiny, directory.path("small.json"), "--image-size", "32,48x64", "--sessions", "1,2", "--threads",
            "1", "--runs", "3", "--pin", "0", "--json", path)
        #expect(command.status == 0, "\(command.errors)")
        let report = try json(String(contentsOfFile: path, encoding: .utf8))
        let results = try #require(report["results"] as? [[String: Any]])
        let measured = results.map { "\($0["model"]!) \($0["image_size"]!) \($0["sessions"]!)" }
        let expected = [tiny, directory.path("small.json")].flatMap { model in
            ["32x32 1", "32x32 2", "48x64 1", "48x64 2"].map { "\(model) \($0)" }
        }
        #expect(measured == expected, "\(measured)")
        #expect((report["machine"] as? [String: Any])?["usable_processors"] as? Int == 1)
        #expect(command.lines.count { $0.hasPrefix("model ") } == 4, "\(command.output)")
        #expect(command.lines.count { $0.hasPrefix("machine ") } == 1, "\(command.output)")
        let again = try Command(
            "bench", tiny, "--sessions", "2", "--image-size", "48x64", "--threads", "1", "--runs", "3", "--baseline",
            path, "--allow", "1000")
        #expect(again.status == 0 && again.output.contains("1 thread, 2 sessions: median"), "\(again.output)")
    }

    /// What must hold between the figures of any run.
    private func check(_ result: [String: Any], model: String) throws {
        func number(_ key: String) throws -> Double { try #require(result[key] as? Double, "\(key)") }
        #expect(result["model"] as? String == model)
        #expect(result["image_size"] as? String == "48x64")
        let ascending = ["min_ms", "median_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"]
        let times = try ascending.map(number)
        #expect(times == times.sorted(), "\(zip(ascending, times).map { "\($0) \($1)" })")
        #expect(times[0] > 0)
        let mean = try number("mean_ms")
        #expect(mean >= times[0] && mean <= times[5], "\(mean) in \(times)")
        // Numbers are written with four digits behind the point.
        let rate = try number("images_per_second")
        let expected = try 1000 * number("batch") / number("median_ms")
        let tolerance = expected * (0.0001 / times[1]) + 0.0001
        #expect(abs(rate - expected) <= tolerance, "\(rate) images/s, expected \(expected)")
        for key in ["load_ms", "first_run_ms", "gflops", "sgemm_gflops", "peak_gflops", "arena_bytes", "weights_bytes"]
        {
            let value = try number(key)
            #expect(value > 0, "\(key) \(value)")
        }
        let (resident, weights) = (try number("peak_rss_bytes"), try number("weights_bytes"))
        #expect(resident > weights)
        #if os(Linux) && !DEBUG  // Swift code that is not optimised allocates.
            #expect(try number("allocations_per_run") == 0)
        #endif
    }

    @Test(arguments: [
        (["--backend", "openblas"], 1), (["--batch", "4", "--threads", "3"], 1), (["--sessions", "3"], 3),
        (["--precision", "int8"], 1),
    ])
    func steadyRunsAllocateNothing(options: [String], sessions: Int) throws {
        let directory = try directoryWithTinyModel()
        let path = directory.path("figures.json")
        let command = try Command(
            ["bench", directory.path("tiny"), "--threads", "1", "--runs", "20", "--json", path]
                + options, countingAllocations: true)
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("\(20 * sessions) runs"), "\(command.output)")
        let report = try json(String(contentsOfFile: path, encoding: .utf8))
        let result = try #require((report["results"] as? [[String: Any]])?.first)
        #if os(Linux) && !DEBUG
            #expect(result["allocations_per_run"] as? Double == 0, "\(options)")
        #endif
    }

    @Test func allocationsAreNotCountedUnlessSomeoneWantsToKnow() throws {
        let directory = try directoryWithTinyModel()
        let path = directory.path("figures.json")
        let command = try Command("bench", directory.path("tiny"), "--runs", "3", "--json", path)
        #expect(command.output.contains("not counted"), "\(command.output)")
        let report = try json(String(contentsOfFile: path, encoding: .utf8))
        let result = try #require((report["results"] as? [[String: Any]])?.first)
        #expect(result["allocations_per_run"] is NSNull, "\(result)")
    }

    @Test func theTextDefinesAndShowsEveryFigure() throws {
        let directory = try directoryWithTinyModel()
        let command = try Command("bench", directory.path("tiny"), "--runs", "3", "--threads", "2")
        #expect(command.status == 0, "\(command.errors)")
        let help = try Command("bench", "--help").output
        for part in [
            "parameters", "multiply-adds", "float32", "load ", "first run ", "steady state ", "mean ", "median ",
            "min ",
            "max ", "P90 ", "P95 ", "P99 ", "images/s", "GFLOP/s", "SGEMM", "FMA peak", "of which", "peak resident",
            "arena", "weights", "allocations", "OpenBLAS",
        ] {
            #expect(command.output.contains(part), "\(part) in \(command.output)")
            if !["min ", "max "].contains(part) { #expect(help.contains(part.trimmingCharacters(in: .whitespaces))) }
        }
        #expect(command.output.contains("batch 1, 2 threads\n"))
        #if DEBUG
            #expect(command.errors.contains("built for debugging"))
        #else
            #expect(!command.errors.contains("built for debugging"))
        #endif
    }

    @Test func theTableOfStepsAddsUp() throws {
        let directory = try directoryWithTinyModel()
        for options in [["--batch", "1"], ["--batch", "2"], ["--batch", "3", "--sort", "time"]] {
            let command = try Command(
                ["bench", directory.path("tiny"), "--threads", "2", "--runs", "9", "--per-layer"] + options)
            #expect(command.status == 0, "\(command.errors)")
            let lines = command.lines
            let first = try #require(lines.firstIndex { $0.hasPrefix("step ") })
            let sum = try #require(lines.firstIndex { $0.hasPrefix("sum of the steps ") })
            let kinds = try #require(lines.firstIndex { $0.hasPrefix("kind of operator ") })
            let end = try #require(lines.firstIndex { $0.hasPrefix("The steps' sum is ") })
            let times = try lines[(first + 1)..<sum].map { try milliseconds($0) }
            let total = try milliseconds(lines[sum])
            // Each number is rounded to a thousandth.
            let rounding = 0.0005 * Double(times.count + 1)
            #expect(abs(times.reduce(0, +) - total) <= rounding, "\(times.reduce(0, +)) of steps, \(total) in all")
            let kindTimes = try lines[(kinds + 1)..<end].map { try milliseconds($0) }
            #expect(abs(kindTimes.reduce(0, +) - total) <= rounding, "\(kindTimes) in kinds, \(total) in all")
            #expect(kindTimes == kindTimes.sorted(by: >))
            if options.contains("time") { #expect(times == times.sorted(by: >)) }
            for name in ["stages.0.blocks.0.local", "stages.3.blocks.0.attn", "head"] {
                #expect(lines[first..<sum].contains { $0.hasPrefix(name) }, "\(name)")
            }
            for kind in ["linear", "convolution", "depthwise convolution"] {
                #expect(lines[kinds..<end].contains { $0.hasPrefix(kind) }, "\(kind)")
            }
        }
    }

    /// The milliseconds of a row: the number before the share.
    private func milliseconds(_ line: String) throws -> Double {
        let found = try #require(line.firstMatch(of: #/ ([0-9]+\.[0-9]{3}) +[0-9.]+ %/#), "\(line)")
        return try #require(Double(found.1))
    }

    @Test func aConfigurationGetsRandomWeights() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array(TinyModel.configurationJSON.utf8), to: "small.json")
        let command = try Command("bench", path, "--runs", "1", "--seed", "5")
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("random weights of seed 5"), "\(command.output)")
    }

    @Test func aVariantNeedsNoFileAndLeavesNone() throws {
        let directory = try TemporaryDirectory()
        let command = try Command(
            shell: "TMPDIR='\(directory.url.path)' \"$0\" bench cetnet-t --image-size 32 --runs 1 --warmup 0 --seed 3")
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("cetnet-t, random weights of seed 3, images of 32x32"))
        #expect(command.output.contains("23.442 M parameters"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.url.path) == [])
    }

    @Test(arguments: [
        ["bench"], ["bench", "m", "--batch", "0"], ["bench", "m", "--batch", "1,"], ["bench", "m", "--batch", "1,x"],
        ["bench", "m", "--batch", "1025"], ["bench", "m", "--threads", "0"], ["bench", "m", "--threads", "1,65"],
        ["bench", "m", "--seconds", "0"], ["bench", "m", "--seconds", "nan"], ["bench", "m", "--runs", "0"],
        ["bench", "m", "--seconds", "1", "--runs", "1"], ["bench", "m", "--warmup", "-1"],
        ["bench", "m", "--sessions", "0"], ["bench", "m", "--sessions", "2", "--per-layer"],
        ["bench", "m", "--sort", "time"], ["bench", "m", "--per-layer", "--sort", "name"],
        ["bench", "m", "--backend", "mkl"], ["bench", "m", "--image-size", "axb"], ["bench", "m", "--seed", "-1"],
        ["bench", "m", "--image-size", "32,"], ["bench", "m", "--sessions", "1,65"], ["bench", "m", "--pin", "1-0"],
        ["bench", "m", "--rate", "5", "--per-layer"],
    ])
    func callsThatCannotBeUsed(arguments: [String]) throws {
        let command = try Command(arguments)
        #expect(command.status == 2)
        #expect(command.output == "")
        #expect(command.errors.contains("Error: ") && command.errors.contains("Usage: cetnet"), "\(command.errors)")
    }

    @Test func modelsAndFilesThatCannotBeUsed() throws {
        let directory = try directoryWithTinyModel()
        let slip = try Command("bench", "cetnet-tt")
        #expect(slip.status == 2)
        #expect(slip.errors.contains("did you mean 'cetnet-t'?"), "\(slip.errors)")
        let size = try Command("bench", directory.path("tiny"), "--image-size", "31", "--runs", "1")
        #expect(size.status == 2)
        #expect(size.errors.hasPrefix("Error: ") && size.errors.contains("31"), "\(size.errors)")
        let pinned = try Command("bench", directory.path("tiny"), "--runs", "1", "--pin", "1000")
        #expect(pinned.status == 2 && pinned.errors.contains("--pin 1000: "), "\(pinned.errors)")
        for option in ["--json", "--csv"] {
            let path = directory.path("none/figures")
            // A day of measuring, if it were not refused before.
            let command = try Command("bench", directory.path("tiny"), "--seconds", "86400", option, path)
            #expect(command.status == 2)
            #expect(command.errors.contains("Error: \(path)"), "\(command.errors)")
        }
    }

    @Test func aBaselineTellsSlowerRunsByTheStatus() throws {
        let directory = try directoryWithTinyModel()
        let (path, fast) = (directory.path("first.json"), directory.path("fast.json"))
        let bench = ["bench", directory.path("tiny"), "--runs", "5", "--threads", "1"]
        let first = try Command(bench + ["--json", path])
        #expect(first.status == 0, "\(first.errors)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let same = try Command(bench + ["--baseline", path, "--allow", "1000"])
        #expect(same.status == 0 && same.output.contains("against \(path)"), "\(same.output)\(same.errors)")
        try directory.write(
            Array(text.replacing(#/"median_ms": [0-9.e-]+/#, with: "\"median_ms\": 0.0001").utf8), to: "fast.json")
        let slower = try Command(bench + ["--baseline", fast])
        #expect(slower.status == 3 && slower.errors.contains("SLOWER"), "\(slower.status) \(slower.errors)")
        try directory.write(Array("{}".utf8), to: "none.json")
        let none = try Command(bench + ["--baseline", directory.path("none.json")])
        #expect(none.status == 2 && none.errors.contains("expected what cetnet bench --json wrote"), "\(none.errors)")
    }

    @Test func stepsTraceAndTheWholeWayReachTheFiles() throws {
        let directory = try directoryWithTinyModel()
        _ = try directory.write(PNGImage.pattern(width: 40, height: 30, seed: 1), to: "x.png")
        let command = try Command(
            "bench", directory.path("tiny"), "--runs", "4", "--threads", "1", "--per-layer", "--json",
            directory.path("a.json"), "--csv", directory.path("a.csv"), "--trace", directory.path("a.trace"),
            "--end-to-end", directory.path("x.png"))
        #expect(command.status == 0 && command.output.contains("end to end, 1 image"), "\(command.errors)")
        let report = try json(String(contentsOfFile: directory.path("a.json"), encoding: .utf8))
        let result = try #require((report["results"] as? [[String: Any]])?.first)
        #expect((result["samples_ms"] as? [Double])?.count == 4)
        let layers = try #require(result["layers"] as? [[String: Any]])
        let way = try #require((report["end_to_end"] as? [[String: Any]])?.first)
        let parts = ["decode", "preprocess", "run"].compactMap { way[$0 + "_median_ms"] as? Double }
        #expect(parts.count == 3 && parts.allSatisfy { $0 > 0 }, "\(way)")
        let rows = try String(contentsOfFile: directory.path("a.csv"), encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 1 + layers.count, "\(rows.count) rows, \(layers.count) steps")
        let trace = try json(String(contentsOfFile: directory.path("a.trace"), encoding: .utf8))
        let events = try #require(trace["traceEvents"] as? [[String: Any]])
        #expect(events.filter { $0["ph"] as? String == "X" }.count == layers.count)
    }

    /// Ten runs a second for a model that takes less: the times have no waiting in them, but the rate has.
    @Test(arguments: [1, 2])
    func batchesComeInAtARate(sessions: Int) throws {
        let directory = try directoryWithTinyModel()
        let command = try Command(
            "bench", directory.path("tiny"), "--runs", "\(4 / sessions)", "--sessions", "\(sessions)", "--threads", "1",
            "--rate", "10", "--json", directory.path("a.json"))
        #expect(command.status == 0, "\(command.errors)")
        let report = try json(String(contentsOfFile: directory.path("a.json"), encoding: .utf8))
        let result = try #require((report["results"] as? [[String: Any]])?.first)
        // Four arrivals in 0.3 s and the last run.
        let rate = try #require(result["images_per_second"] as? Double)
        #expect(rate < 14, "\(rate)")
    }

    @Test func anUnknownTierIsRefused() throws {
        let directory = try directoryWithTinyModel()
        let command = try Command(
            shell: "CETNET_KERNELS=mmx \"$0\" bench '\(directory.path("tiny"))' --runs 1")
        #expect(command.status == 2)
        #expect(command.errors.contains("CETNET_KERNELS=mmx"), "\(command.errors)")
    }
}
