import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

struct CountTests {
    /// A count in millions or billions with three decimals, as tables print it.
    private func rounded(_ count: Int, in unit: Int) -> String {
        String(format: "%.3f", Double(count) / Double(unit))
    }

    static let counts = [
        ("cetnet-t", "23.442", "4.246"), ("cetnet-s", "33.767", "6.820"), ("cetnet-b", "75.343", "15.135"),
        ("cetnet-t-ce1", "21.596", "3.750"), ("cetnet-t-ce3", "21.987", "3.879"), ("cetnet-t-ce7", "24.896", "4.613"),
        ("cetnet-t-pure-mb", "23.393", "4.069"), ("cetnet-t-dense", "23.383", "4.180"),
        ("cetnet-t-shuffle", "23.404", "4.244"), ("cetnet-t-resnet", "23.698", "4.236"),
        ("cetnet-t-se-resnet", "23.918", "4.237"), ("cetnet-t-ghost", "23.386", "4.215"),
        ("cetnet-t-stages0", "20.731", "3.634"), ("cetnet-t-stages1", "20.796", "3.891"),
        ("cetnet-t-stages2", "20.928", "4.012"), ("cetnet-t-stages3", "21.438", "4.129"),
        ("swin-t", "28.288", "4.491"), ("swin-s", "49.606", "8.741"), ("swin-b", "87.768", "15.431"),
        ("ce-swin-t", "23.387", "4.233"), ("ce-swin-s", "48.552", "8.697"), ("ce-swin-b", "85.865", "15.361"),
        ("cvt-13", "19.997", "4.566"), ("ce-cvt-13", "20.564", "4.682"),
        ("pvt-s", "24.486", "3.816"), ("ce-pvt-s", "22.973", "3.664"),
        ("cswin-t", "22.321", "4.324"), ("ce-cswin-t", "21.752", "4.182"), ("ce-cswin-s", "34.075", "6.659"),
        ("ce-cswin-b", "76.073", "14.672"),
    ]

    @Test func everyVariantHasCounts() { #expect(Self.counts.map(\.0) == Variant.all.map(\.name)) }

    @Test(arguments: counts)
    func variantsHaveTheirCounts(_ name: String, _ parameters: String, _ multiplyAdds: String) throws {
        let graph = try Network(ModelConfiguration(variant: name)).graph(imageSize: ImageSize(square: 224))
        #expect(rounded(graph.parameterCount, in: 1_000_000) == parameters, "\(graph.parameterCount)")
        #expect(rounded(graph.multiplyAdds, in: 1_000_000_000) == multiplyAdds, "\(graph.multiplyAdds)")
    }

    @Test(arguments: Variant.Study.family.variants)
    func multiplyAddsAreThePublishedOnesWithinOnePercentAt384(_ variant: Variant) throws {
        let figures = try #require(variant.published.first { $0.imageSize == 384 })
        let published = try #require(figures.multiplyAdds.flatMap { Double($0.dropLast(2)) }) * 1e9
        let graph = try Network(variant.configuration).graph(imageSize: ImageSize(square: 384))
        let ratio = Double(graph.multiplyAdds) / published
        #expect(abs(ratio - 1) < 0.01, "\(variant.name): \(graph.multiplyAdds), \(ratio) of \(published)")
    }

    @Test(arguments: ["small", "seven-layers"])
    func agreeWithThePyTorchDefinition(_ name: String) throws {
        let network = try Network(ModelConfiguration(json: fixture(name + ".json"), source: name))
        for line in try fixtureLines(name + ".costs.txt") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            try #require(numbers.count == 3)
            let graph = network.graph(imageSize: ImageSize(height: numbers[0], width: numbers[1]))
            #expect(graph.multiplyAdds == numbers[2], "\(name) at \(graph.imageSize)")
        }
    }
}
