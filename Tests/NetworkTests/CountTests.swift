import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

struct CountTests {
    /// A count in millions or billions with three decimals, as tables print it.
    private func rounded(_ count: Int, in unit: Int) -> String {
        String(format: "%.3f", Double(count) / Double(unit))
    }

    @Test(arguments: Variant.all)
    func variantsHaveTheirCounts(_ variant: Variant) throws {
        let (counted, name) = (variant.counted, variant.name)
        let graph = try Network(variant.configuration).graph(
            imageSize: ImageSize(height: counted.imageSize, width: counted.imageWidth))
        #expect(rounded(graph.parameterCount, in: 1_000_000) + " M" == counted.parameters, "\(name)")
        #expect(rounded(graph.multiplyAdds, in: 1_000_000_000) + " G" == counted.multiplyAdds, "\(name)")
    }

    @Test(arguments: Variant.Study.family.variants)
    func multiplyAddsAreThePublishedOnesWithinOnePercentAt384(_ variant: Variant) throws {
        let figures = try #require(variant.published.first { $0.imageSize == 384 })
        let published = try #require(figures.multiplyAdds.flatMap { Double($0.dropLast(2)) }) * 1e9
        let graph = try Network(variant.configuration).graph(imageSize: ImageSize(square: 384))
        let ratio = Double(graph.multiplyAdds) / published
        #expect(abs(ratio - 1) < 0.01, "\(variant.name): \(graph.multiplyAdds), \(ratio) of \(published)")
    }

    /// Published parameters of segmentation models are those with the auxiliary head, which helps training.
    @Test func auxiliaryHeads() throws {
        for (name, expected) in [
            ("cetnet-t", "53.237"), ("cetnet-s", "63.562"), ("cetnet-b", "106.997"), ("ce-swin-t", "53.182"),
            ("ce-swin-s", "80.206"), ("ce-swin-b", "119.376"), ("swin-t", "59.942"), ("swin-s", "81.260"),
            ("swin-b", "121.280"),
        ] {
            let configuration = try ModelConfiguration(variant: name + "-upernet")
            let count = try Network(configuration).parameterCount + UPerNet.auxiliaryParameterCount(configuration)
            #expect(rounded(count, in: 1_000_000) == expected, "\(name)")
        }
    }

    @Test(arguments: ["small", "seven-layers"])
    func agreeWithThePyTorchDefinition(_ name: String) throws {
        let network = try Network(ModelConfiguration(json: fixture(name + ".json"), source: name))
        for line in try fixtureLines(name + ".costs.txt") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            try #require(numbers.count == 3)
            let graph = network.graph(imageSize: ImageSize(height: numbers[0], width: numbers[1]))
            #expect(graph.multiplyAdds == numbers[2], "\(name) at \(line)")
        }
    }
}
