import CETNet
import CETNetCheckpoint
import Foundation
import Testing

/// The model that the project ships, on every image that its training did not see.
@Suite struct DigitsTests {
    private static let model: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("models/digits")

    @Test func everyHeldOutImage() throws {
        let file = try Fixture.file("digits_held_out.safetensors")
        let pixels = try file.values(of: "pixels")
        let labels = try file.values(of: "labels").map { Int($0) }
        let expected = try file.values(of: "logits")
        #expect(labels.count == 360)

        let model = try Model(contentsOf: Self.model)
        var right = 0
        for (index, label) in labels.enumerated() {
            let image = Image.pixels(
                try PixelBuffer(
                    width: 8, height: 8, format: .gray8,
                    bytes: pixels[index * 64..<(index + 1) * 64].map { UInt8($0) }))
            let logits = try model.logits(model.preprocess(image)).values
            // Both sides preprocess to the same pixels; see NetworkFixtureTests for the network's own error.
            expectClose(
                logits, Array(expected[index * 10..<(index + 1) * 10]), tolerance: 1e-5, "held-out image \(index)")
            let best = try #require(try model.classify(image, top: 1).first)
            let reference = expected[index * 10..<(index + 1) * 10]
            #expect(best.index == reference.firstIndex(of: reference.max()!)! - index * 10, "held-out image \(index)")
            #expect(best.label == String(best.index))
            right += best.index == label ? 1 : 0
        }
        #expect(right >= 353, "only \(right) of 360 are right: below 98 %")
    }
}
