import CETNetNetworks
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
}
