import CETNetNetworks
import Foundation
import Testing

struct VariantTests {
    @Test func namesAreUniqueAndFound() throws {
        #expect(Set(Variant.all.map(\.name)).count == Variant.all.count)
        for variant in Variant.all {
            #expect(Variant.named(variant.name)?.name == variant.name)
            #expect(variant.configuration.variant == variant.name)
            try variant.configuration.validate()
            #expect(variant.source.contains("arXiv"))
        }
        #expect(Variant.named("cetnet") == nil)
    }

    @Test func publishedFiguresAreThePapers() throws {
        let t = try #require(Variant.named("cetnet-t"))
        #expect(t.publishedParameters == "23.4 M")
        #expect(t.publishedMultiplyAdds == "4.3 G")
        #expect(t.publishedTop1 == "82.7")
        #expect(t.published.map(\.imageSize) == [224, 384])
        let family = Variant.Study.family.variants
        #expect(family.map(\.publishedTop1) == ["82.7", "83.4", "83.8"])
        #expect(family.map(\.published.last?.top1) == ["84.2", "84.6", "84.9"])
    }

    @Test func studiesAreThePapers() {
        #expect(Variant.all.count == 39)
        func names(_ study: Variant.Study) -> [String] { study.variants.map(\.name) }
        #expect(names(.layers) == ["cetnet-t-ce1", "cetnet-t-ce3", "cetnet-t", "cetnet-t-ce7"])
        #expect(Variant.Study.layers.variants.map(\.configuration.ceLayers) == [1, 3, 5, 7])
        #expect(
            Set(Variant.Study.units.variants.map(\.configuration.ceUnit))
                == Set(ModelConfiguration.ConvolutionalEmbeddingUnit.allCases))
        #expect(
            Variant.Study.stages.variants.map { $0.configuration.embeddings.count { $0 == .ce } } == [0, 1, 2, 3, 4])
        #expect(names(.family) == ["cetnet-t", "cetnet-s", "cetnet-b"])
        for (index, name) in names(.backbones).enumerated() {
            #expect(index % 2 == 0 || name == "ce-" + names(.backbones)[index - 1], "\(name)")
        }
    }

    static let row = #""name": "a", "source": "s", "counted": {"parameters": "1 M", "multiply_adds": "1 G"}"#
    static let values = #""dims": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1]"#
    static let studies = #""layers": ["a"], "units": ["a"], "stages": ["a"], "family": ["a"], "backbones": ["a"]"#

    private func table(_ rows: String, studies: String = studies, more: String = "") throws -> VariantTable {
        let text = "{\"sources\": {\"s\": \"S\"}, \"variants\": [\(rows)], \"studies\": {\(studies)}\(more)}"
        return try VariantTable(json: Data(text.utf8), source: "t")
    }

    @Test func aRowTakesFromAnEarlierOne() throws {
        let first = "{\(Self.row), \"configuration\": {\(Self.values), \"window_size\": 5}}"
        let second = first.replacingOccurrences(of: "\"a\"", with: "\"b\"").replacingOccurrences(
            of: Self.values, with: #""variant": "a", "ce_layers": 3"#)
        let variants = try table(first + ", " + second).variants
        #expect(variants.map(\.name) == ["a", "b"] && variants.map(\.configuration.variant) == ["a", "b"])
        #expect(variants.map(\.configuration.ceLayers) == [5, 3] && variants[1].configuration.dims == [8, 8, 8, 8])
        #expect(variants[0].source == "S" && variants[0].counted.parameters == "1 M" && variants[0].published.isEmpty)
    }

    @Test(arguments: [
        ("{}", studies, "", #""variants.0.name" is missing"#),
        (#"{"name": "a", "source": "x"}"#, studies, "", #""variants.0.source": expected a key of "sources""#),
        (
            "{\(row), \"configuration\": {\"dims\": 3}}", studies, "",
            #""variants.0.configuration.dims": expected an array"#
        ),
        (
            "{\(row), \"configuration\": {\(values), \"x\": 1}}", studies, "",
            #"unknown key "variants.0.configuration.x""#
        ),
        ("{\(row), \"configuration\": {\"variant\": \"b\"}}", studies, "", #"unknown variant "b""#),
        (
            "{\(row), \"configuration\": {\(values)}, \"remarks\": \"\"}", studies, "",
            #"did you mean "variants.0.remark"?"#
        ),
        (
            "{\(row), \"configuration\": {\(values)}}, {\(row), \"configuration\": {\(values)}}", studies, "",
            #""variants.1.name": expected a new one, found "a""#
        ),
        ("{\(row), \"configuration\": {\(values)}}", #""layers": ["b"]"#, "", #""studies.layers": expected names"#),
        ("{\(row), \"configuration\": {\(values)}}", #""layers": ["a"]"#, "", #""studies.units" is missing"#),
        ("{\(row), \"configuration\": {\(values)}}", studies, ", \"x\": 1", #"unknown key "x""#),
    ])
    func mistakesInATableAreNamed(rows: String, studies: String, more: String, expected: String) {
        let found = message { _ = try table(rows, studies: studies, more: more) }
        #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
    }
}
