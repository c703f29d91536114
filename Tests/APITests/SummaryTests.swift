import CETNet
import TestSupport
import Testing

@Suite struct SummaryTests {
    @Test(arguments: [("cetnet-t", 23.442, 4.246), ("cetnet-s", 33.767, 6.820), ("cetnet-b", 75.343, 15.135)])
    func publishedSizes(variant: String, millions: Double, billions: Double) throws {
        let summary = try ModelSummary(ModelConfiguration(variant: variant), imageSize: ImageSize(square: 224))
        #expect(abs(Double(summary.parameters) / 1e6 - millions) <= 0.0005, "\(summary.parameters)")
        #expect(abs(Double(summary.multiplyAdds) / 1e9 - billions) <= 0.0005, "\(summary.multiplyAdds)")
    }

    @Test func layersAddUp() throws {
        let model = try tinyModel()
        for size in [ImageSize(square: 64), ImageSize(height: 40, width: 72)] {
            let summary = try model.summary(imageSize: size)
            #expect(summary.layers.reduce(0) { $0 + $1.parameters } == summary.parameters)
            #expect(summary.layers.reduce(0) { $0 + $1.multiplyAdds } == summary.multiplyAdds)
            #expect(summary.parameters == model.parameterCount)
            #expect(summary.multiplyAdds == (try model.multiplyAdds(imageSize: size)))
            #expect(summary.layers.last?.outputShape == [1, 1, TinyModel.labelCount])
            #expect(summary.imageSize == size)
        }
        #expect(try model.summary().imageSize == ImageSize(square: TinyModel.imageSize))
    }

    @Test func sizesOutOfRangeAreRefused() throws {
        #expect(throws: ModelError.self) { try tinyModel().multiplyAdds(imageSize: ImageSize(square: 31)) }
        #expect(throws: ModelError.self) {
            try ModelSummary(tinyConfiguration(), imageSize: ImageSize(square: 1 << 40))
        }
    }
}
