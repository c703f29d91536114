import CETNet
import CETNetImaging
import Foundation
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

    @Test func summariesAndConfigurationsAreCodable() throws {
        let summary = try tinyModel().summary()
        let data = try JSONEncoder().encode(summary)
        let decoded = try JSONDecoder().decode(ModelSummary.self, from: data)
        #expect(decoded.configuration == summary.configuration && decoded.layers == summary.layers)
        #expect(decoded.imageSize == summary.imageSize && decoded.parameters == summary.parameters)
        for variant in Variant.all {
            let data = try JSONEncoder().encode(variant.configuration)
            #expect(try JSONDecoder().decode(ModelConfiguration.self, from: data) == variant.configuration)
            // The same keys and values as in a file, so that either can be read as the other.
            #expect(try ModelConfiguration(json: data, source: variant.name) == variant.configuration)
        }
        let prediction = Prediction(index: 3, label: "3", probability: 0.25)
        #expect(try JSONDecoder().decode(Prediction.self, from: JSONEncoder().encode(prediction)) == prediction)
        #expect(throws: ConfigurationError.self) {
            try JSONDecoder().decode(ModelConfiguration.self, from: Data(#"{"dims": "wide"}"#.utf8))
        }
    }

    @Test func everyErrorSaysToFoundationWhatItSaysInText() {
        let errors: [any Error & CustomStringConvertible] = [
            ModelError.cancelled, PreprocessingError.invalidSetting(name: "a", expected: "b", found: "c"),
            ImageError.notFound(source: "a"), SystemError(code: 2),
            ConfigurationError.missingKey(source: "a", key: "b"),
            CheckpointError.cannotOpen(file: "a", cause: SystemError(code: 2)),
        ]
        for error in errors { #expect(error.localizedDescription == error.description) }
    }
}
