import CETNetPreprocessing
import Testing

@Suite("What crops keep")
struct CropModeTests {
    /// A grey image whose pixels are their column, or their row.
    private func ramp(width: Int, height: Int, byRows: Bool = false) throws -> PixelBuffer {
        let bytes = (0..<height).flatMap { row in (0..<width).map { UInt8(byRows ? row : $0) } }
        return try PixelBuffer(width: width, height: height, format: .gray8, bytes: bytes)
    }

    private typealias Settings = PreprocessConfiguration

    private func preprocessor(
        _ side: Int, _ fraction: Double = 1, mode: Settings.CropMode = .center,
        rounding: Settings.CropRounding = .even, interpolation: Settings.Interpolation = .bicubic
    ) throws -> Preprocessor {
        try Preprocessor(
            Settings(
                interpolation: interpolation, cropFraction: fraction, cropMode: mode, cropRounding: rounding,
                mean: [0, 0, 0], standardDeviation: [1, 1, 1]),
            imageSize: side)
    }

    /// Margins of 7 and 5 pixels: halves go to the even neighbour, or down.
    @Test(arguments: [
        (23, PreprocessConfiguration.CropRounding.even, 4), (23, .down, 3), (21, .even, 2), (21, .down, 2),
        (20, .even, 2), (20, .down, 2), (16, .down, 0),
    ])
    func unequalMargins(width: Int, rounding: PreprocessConfiguration.CropRounding, start: Int) throws {
        let preprocessor = try preprocessor(16, rounding: rounding)
        #expect(try preprocessor.crop(ramp(width: width, height: 16)).bytes.first == UInt8(start))
        let tall = try ramp(width: 16, height: width, byRows: true)
        #expect(try preprocessor.crop(tall).bytes.first == UInt8(start))
    }

    /// Both sides are resized to the same, so that nothing is lost.
    @Test func squashingKeepsEverything() throws {
        let halved = try preprocessor(8, mode: .squash, interpolation: .box).crop(ramp(width: 16, height: 8))
        // The mean of two neighbours, halves rounded up.
        #expect(Array(halved.bytes.prefix(8)) == [1, 3, 5, 7, 9, 11, 13, 15])
        let rows = try preprocessor(8, mode: .squash, interpolation: .box).crop(
            ramp(width: 8, height: 24, byRows: true))
        #expect((0..<8).map { rows.bytes[$0 * 8] } == [1, 4, 7, 10, 13, 16, 19, 22])
        let cropped = try preprocessor(8, interpolation: .box).crop(ramp(width: 16, height: 8))
        #expect(Array(cropped.bytes.prefix(8)) == [4, 5, 6, 7, 8, 9, 10, 11])
    }

    /// timm's squash with a crop: both sides to floor(8 / 0.8) = 10, then the central 8.
    @Test func squashingMayBeFollowedByACrop() throws {
        let cropped = try preprocessor(8, 0.8, mode: .squash, interpolation: .box).crop(ramp(width: 20, height: 10))
        #expect(Array(cropped.bytes.prefix(8)) == [3, 5, 7, 9, 11, 13, 15, 17])
    }

    /// However long an image is, squashed it has two short sides.
    @Test func noImageIsTooLongToBeSquashed() throws {
        let line = try PixelBuffer(
            width: 1 << 20, height: 1, format: .gray8, bytes: [UInt8](repeating: 7, count: 1 << 20))
        let result = try preprocessor(224, mode: .squash).crop(line)
        #expect(result.bytes.allSatisfy { $0 == 7 })
    }
}
