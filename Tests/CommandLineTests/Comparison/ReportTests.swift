import Foundation
import Testing

@testable import CETNetCommand

#if canImport(FoundationXML)
    import FoundationXML
#endif

struct ReportTests {
    private let comparison = Synthetic.comparison(
        names: ["a_1 | <b>", "models/b,\"c\"", "c"], times: [10, 20, 20.01], top1: ["80.0", "81.5", nil],
        warnings: ["the machine was <busy>"])

    private func file(_ name: String) throws -> String {
        try #require(ComparisonReport.files(comparison).first { $0.name == name }).text
    }

    @Test func filesAreTheNamedOnes() {
        #expect(
            ComparisonReport.files(comparison).map(\.name) == [
                "report.html", "report.md", "report.json", "report.csv", "latency-accuracy.svg",
                "latency-multiply-adds.svg", "time-by-part.svg",
            ])
    }

    /// Elements and text of a file, which must be well-formed XML.
    private final class Reader: NSObject, XMLParserDelegate {
        var elements: [String] = []
        var attributes: [[String: String]] = []
        var text = ""

        init(_ text: String) throws {
            super.init()
            let parser = XMLParser(data: Data(text.utf8))
            parser.delegate = self
            guard parser.parse() else { throw parser.parserError ?? CocoaError(.coderInvalidValue) }
        }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements.append(name)
            self.attributes.append(attributes)
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) { self.text += text }
    }

    @Test(arguments: ["latency-accuracy.svg", "latency-multiply-adds.svg", "time-by-part.svg"])
    func plotsAreWellFormedAndSelfContained(name: String) throws {
        let text = try file(name)
        let reader = try Reader(text)
        #expect(reader.elements.first == "svg")
        #expect(text.contains("prefers-color-scheme: dark"))
        #expect(reader.text.contains("a_1 | <b>") && reader.text.contains("models/b,\"c\""))
        #expect(text.contains("href") == false && !text.contains("@import") && !text.contains("url("))
        let circles = ["latency-accuracy.svg": 2, "latency-multiply-adds.svg": 3, "time-by-part.svg": 0]
        #expect(reader.elements.count { $0 == "circle" } == circles[name])
        #expect(!text.contains("nan") && !text.contains("inf\""))
    }

    /// Viewers that ignore style sheets show black on white what has no attributes.
    @Test(arguments: ["latency-accuracy.svg", "latency-multiply-adds.svg", "time-by-part.svg"])
    func plotsHaveTheirColoursWithoutStyles(name: String) throws {
        let reader = try Reader(file(name))
        var fills: [String: String] = [:]
        for (element, attributes) in zip(reader.elements, reader.attributes) {
            let style = attributes["class"] ?? ""
            func isColour(_ attribute: String) -> Bool { attributes[attribute]?.hasPrefix("#") == true }
            switch element {
            case "text", "rect", "circle": #expect(isColour("fill"), "\(element) \(style): \(attributes)")
            case "line", "polyline": #expect(isColour("stroke"), "\(element) \(style): \(attributes)")
            default: continue
            }
            if element == "polyline" { #expect(attributes["fill"] == "none", "\(style): \(attributes)") }
            fills[style] = attributes["fill"]
        }
        #expect(fills["title"] != fills["ground"], "\(fills)")
        let marks = fills.filter { $0.key.hasPrefix("part-") || $0.key.hasPrefix("point") || $0.key == "on-part" }
        #expect(Set(marks.values).count == marks.count, "\(marks)")
    }

    @Test func partsOfBarsAreDrawn() throws {
        // The ground, five parts' legend, five parts of three bars.
        #expect(try Reader(file("time-by-part.svg")).elements.count { $0 == "rect" } == 1 + 5 + 15)
    }

    @Test func thePageNeedsNoOtherFile() throws {
        let text = try file("report.html")
        // The page is written so that it is XML but for the doctype and two empty elements.
        let body = try #require(text.range(of: "<body>"))
        let end = try #require(text.range(of: "</body>"))
        let reader = try Reader(String(text[body.lowerBound..<end.upperBound]))
        #expect(reader.elements.count { $0 == "svg" } == 3)
        #expect(reader.elements.count { $0 == "table" } == 3)
        #expect(!reader.elements.contains("img") && !reader.elements.contains("script"))
        #expect(text.contains("prefers-color-scheme: dark"))
        #expect(text.contains("<title>Invented &lt;models&gt; &amp; more</title>"))
        #expect(reader.text.contains("Warning: the machine was <busy>."))
        // The plots' namespace, and nothing to fetch.
        #expect(text.components(separatedBy: "http").count == 1 + 3)
        #expect(text.components(separatedBy: "@media").count == 2)
    }

    @Test func markdownShowsThePlotsAndEscapesNames() throws {
        let text = try file("report.md")
        #expect(text.hasPrefix("# Invented \\<models\\> \\& more\n"))
        for plot in ["latency-accuracy.svg", "latency-multiply-adds.svg", "time-by-part.svg"] {
            #expect(text.contains("](\(plot))"))
        }
        let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| a\\_1 \\| \\<b\\> | 1.234 M") })
        let title = try #require(text.split(separator: "\n").first { $0.hasPrefix("| model |") })
        let columns = title.split(separator: "|").count
        #expect(row.replacing("\\|", with: "").split(separator: "|").count == columns, "\(row)")
        #expect(text.contains("- models/b,\"c\" and c: ratio 1.000, 1.000 to 1.000"))
    }

    @Test func jsonHoldsEveryModelAndPair() throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(file("report.json").utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == ["title", "command", "machine", "settings", "warnings", "ranking", "results", "pairs"])
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["model"] as? String } == ["a_1 | <b>", "models/b,\"c\"", "c"])
        #expect(results.map { $0["ratio"] as? Double } == [1, 2, 2.001])
        #expect(results.map { $0["published_top1"] as? Double } == [80, 81.5, nil])
        #expect(results[1]["baseline"] as? String == "a_1 | <b>")
        #expect(results[1]["attention_ms"] as? Double == 10)
        #expect(results[1]["patch_embedding_ms"] as? Double == 0)
        #expect(results[1]["head_gflops"] is NSNull)
        #expect((results[1]["round_ms"] as? [Double])?.count == 15)
        let pairs = try #require(object["pairs"] as? [[String: Any]])
        #expect(pairs.map { $0["first_is"] as? String } == ["faster", "faster", "too close"])
        let settings = try #require(object["settings"] as? [String: Any])
        #expect(settings["rounds"] as? Int == 15 && settings["confidence"] as? Double == 0.99)
    }

    @Test func csvHasTheSameColumnsInEveryRow() throws {
        let lines = try file("report.csv").split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        let titles = lines[0].split(separator: ",").map(String.init)
        #expect(titles.starts(with: ["model", "image_size", "parameters", "multiply_adds", "published_top1"]))
        let name = "\"models/b,\"\"c\"\"\","
        #expect(lines[2].hasPrefix(name), "\(lines[2])")
        let source = "\"Someone, Somewhere, arXiv 1234.56789\""
        let plain = lines[2].replacing(name, with: "name,").replacing(source, with: "source")
        #expect(plain.split(separator: ",", omittingEmptySubsequences: false).count == titles.count, "\(plain)")
    }

    @Test func theTerminalShowsTableAndFindings() {
        let text = ComparisonText.text(comparison)
        #expect(text.contains("Fastest first: a_1 | <b> < models/b,\"c\" ≈ c"))
        for column in ["of peak", "CE", "attention", "MLP", "other", "P10-P90 ms"] { #expect(text.contains(column)) }
    }
}
