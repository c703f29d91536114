import Foundation
import TestSupport
import Testing

/// What `cetnet compare` says and writes. How fast anything is, is no matter for a test.
@Suite struct CompareTests {
    private static let reportFiles: Set = [
        "report.html", "report.md", "report.json", "report.csv", "latency-multiply-adds.svg", "time-by-part.svg",
    ]

    @Test func modelsOnDiskAreComparedAndReported() throws {
        let directory = try directoryWithTinyModel()
        let model = directory.path("tiny")
        let report = directory.path("new/report")
        let command = try Command(
            "compare", model, model, "--image-size", "48x64", "--batch", "2", "--threads", "2", "--rounds", "9",
            "--report", report, "--json", directory.path("figures.json"), "--csv", directory.path("figures.csv"))
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("batch 2, 2 threads, images of 48x64, float32; 9 rounds"))
        #expect(command.output.contains("Fastest first: "))
        #expect(command.output.contains("the faster in 9 of the 9 rounds"))

        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: report)) == Self.reportFiles)
        for (name, copy) in [("report.json", "figures.json"), ("report.csv", "figures.csv")] {
            #expect(
                try String(contentsOfFile: "\(report)/\(name)", encoding: .utf8)
                    == String(contentsOfFile: directory.path(copy), encoding: .utf8))
        }
        let object = try json(String(contentsOfFile: "\(report)/report.json", encoding: .utf8))
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["model"] as? String } == [model, "\(model) (2)"])
        for result in results {
            func number(_ key: String) throws -> Double { try #require(result[key] as? Double, "\(key)") }
            let times = try ["p10_ms", "median_ms", "p90_ms"].map(number)
            #expect(times[0] > 0 && times == times.sorted(), "\(times)")
            let shares = try ["ce", "attention", "mlp", "other"].map { try number("share_\($0)") }
            let sum = shares.reduce(0, +)
            // Each is rounded to four digits.
            #expect((0.9997...1.0003).contains(sum), "\(shares)")
            #expect(shares.allSatisfy { $0 > 0 })
            #expect((result["round_ms"] as? [Double])?.count == 9)
            #expect(result["published_top1"] is NSNull)
        }
        let settings = try #require(object["settings"] as? [String: Any])
        #expect(settings["rounds"] as? Int == 9)
        #expect((object["command"] as? String)?.hasPrefix("cetnet compare ") == true)
    }

    @Test func aStudyIsItsVariants() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("figures.json")
        let command = try Command(
            "compare", "--study", "layers", "--image-size", "32", "--rounds", "1", "--json", path)
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("Nothing is told apart by 1 rounds; 8 are the least."))
        let results = try #require(json(String(contentsOfFile: path, encoding: .utf8))["results"] as? [[String: Any]])
        #expect(
            results.map { $0["model"] as? String } == ["cetnet-t-ce1", "cetnet-t-ce3", "cetnet-t", "cetnet-t-ce7"])
        #expect(results.map { $0["baseline"] as? String } == ["cetnet-t", "cetnet-t", nil, "cetnet-t"])
        #expect(results.map { $0["published_top1"] as? Double } == [81.8, nil, 82.7, nil])
        #expect(results[2]["published_image_size"] as? Int == 224)
        #expect(command.output.contains("82.7 (224²)"))
    }

    @Test func aConfigurationGetsRandomWeights() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array(TinyModel.configurationJSON.utf8), to: "small.json")
        let command = try Command("compare", path, "--rounds", "1")
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.output.contains("\(path) "))
        let broken = try directory.write(Array("{".utf8), to: "broken.json")
        let refused = try Command("compare", broken)
        #expect(refused.status == 2 && refused.errors.contains(broken), "\(refused.errors)")
    }

    @Test func precisionsSideBySide() throws {
        let directory = try directoryWithTinyModel()
        let (tiny, path) = (directory.path("tiny"), directory.path("figures.json"))
        let command = try Command(
            "compare", tiny, tiny + ":int8", tiny + ":bfloat16", "--rounds", "1", "--json", path)
        #expect(command.status == 0, "\(command.errors)")
        let report = try json(String(contentsOfFile: path, encoding: .utf8))
        let results = try #require(report["results"] as? [[String: Any]])
        #expect(results.map { $0["model"] as? String } == [tiny, tiny + ":int8", tiny + ":bfloat16"])
        let machine = try #require(report["machine"] as? [String: Any])
        #expect(machine["precision"] as? String == "float32, int8, bfloat16")
        let refused = try Command("compare", tiny + ":int4")
        #expect(refused.status == 2 && refused.errors.contains("no precision 'int4'"), "\(refused.errors)")
    }

    @Test func theBaselineCanBeChosen() throws {
        let directory = try directoryWithTinyModel()
        let tiny = directory.path("tiny")
        let command = try Command("compare", tiny, "models", "--baseline", "other", "--rounds", "1")
        #expect(command.status == 2)
        let path = directory.path("figures.json")
        try FileManager.default.copyItem(atPath: tiny, toPath: directory.path("second"))
        let chosen = try Command(
            "compare", tiny, directory.path("second"), "--baseline", directory.path("second"), "--rounds", "1",
            "--json", path)
        #expect(chosen.status == 0, "\(chosen.errors)")
        let results = try #require(json(String(contentsOfFile: path, encoding: .utf8))["results"] as? [[String: Any]])
        #expect(results.map { $0["baseline"] as? String } == [directory.path("second"), nil])
    }

    @Test(arguments: [
        ["compare"], ["compare", "--study", "depths"], ["compare", "m", "--rounds", "0"],
        ["compare", "m", "--batch", "0"],
        ["compare", "m", "--batch", "1025"], ["compare", "m", "--threads", "0"], ["compare", "m", "--threads", "65"],
        ["compare", "m", "--image-size", "axb"], ["compare", "m", "--rounds", "many"],
        ["compare", "m", "--seed", "-1"],
    ])
    func callsThatCannotBeUsed(arguments: [String]) throws {
        let command = try Command(arguments)
        #expect(command.status == 2)
        #expect(command.output == "")
        #expect(command.errors.contains("Error: ") && command.errors.contains("Usage: cetnet"), "\(command.errors)")
    }

    @Test func modelsAndPlacesThatCannotBeUsed() throws {
        let directory = try directoryWithTinyModel()
        let tiny = directory.path("tiny")
        let slip = try Command("compare", "cetnet-t-gost")
        #expect(slip.status == 2 && slip.errors.contains("did you mean 'cetnet-t-ghost'?"), "\(slip.errors)")
        let size = try Command("compare", tiny, "--image-size", "31")
        #expect(size.status == 2 && size.errors.contains("31"), "\(size.errors)")
        let baseline = try Command("compare", tiny, "--baseline", "cetnet-s")
        #expect(baseline.status == 2 && baseline.errors.contains("'cetnet-s'"), "\(baseline.errors)")
        // A file where the directory should be is found before anything is measured.
        try directory.write([], to: "file")
        let report = try Command("compare", tiny, "--report", directory.path("file"))
        #expect(report.status == 2 && report.errors.contains(directory.path("file")), "\(report.errors)")
        let json = try Command("compare", tiny, "--rounds", "1", "--json", directory.path("none/figures"))
        #expect(json.status == 2 && json.errors.contains(directory.path("none/figures")), "\(json.errors)")
    }
}
