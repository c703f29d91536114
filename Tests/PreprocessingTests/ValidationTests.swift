import CETNetKernels
import CETNetPreprocessing
import Testing

@Suite("Checks of preprocessing")
struct ValidationTests {
    private func buffer(
        _ width: Int, _ height: Int, _ format: PixelFormat = .rgb8, bytesPerRow: Int? = nil, count: Int = 0
    ) throws -> PixelBuffer {
        try PixelBuffer(
            width: width, height: height, format: format, bytesPerRow: bytesPerRow,
            bytes: [UInt8](repeating: 0, count: count))
    }

    @Test(
        "impossible sizes are refused, without overflow",
        arguments: [
            (0, 1), (1, 0), (-1, 5), (5, -1), (Int.max, 2), (2, Int.max), (Int.max, Int.max), (1 << 32, 1 << 32),
            (PixelBuffer.maximumPixels + 1, 1), (Int.min, 1), (Int.min, -1),
        ])
    func sizes(_ width: Int, _ height: Int) {
        #expect(
            throws: PreprocessingError.invalidSize(
                format: .rgb8, width: width, height: height, maximumPixels: PixelBuffer.maximumPixels)
        ) { try buffer(width, height) }
    }

    @Test("rows that overlap are refused")
    func bytesPerRow() {
        #expect(throws: PreprocessingError.invalidBytesPerRow(format: .bgra8, expectedAtLeast: 20, found: 19)) {
            try buffer(5, 2, .bgra8, bytesPerRow: 19, count: 100)
        }
        #expect(throws: PreprocessingError.invalidBytesPerRow(format: .gray8, expectedAtLeast: 5, found: -8)) {
            try buffer(5, 2, .gray8, bytesPerRow: -8, count: 100)
        }
    }

    @Test("a buffer that ends early is refused; the last row needs no padding")
    func bytes() throws {
        #expect(throws: PreprocessingError.tooFewBytes(format: .rgb8, expectedAtLeast: 55, found: 54)) {
            try buffer(5, 3, bytesPerRow: 20, count: 54)
        }
        _ = try buffer(5, 3, bytesPerRow: 20, count: 55)
        #expect(throws: PreprocessingError.tooFewBytes(format: .rgb8, expectedAtLeast: .max, found: 8)) {
            try buffer(1, 3, bytesPerRow: .max, count: 8)
        }
        // A single row has no distance to the next.
        _ = try buffer(1, 1, bytesPerRow: .max, count: 3)
    }

    @Test("errors say what was expected and found")
    func descriptions() {
        let error = PreprocessingError.tooFewBytes(format: .bgra8, expectedAtLeast: 80, found: 79)
        #expect("\(error)" == "bgra8 image: expected at least 80 bytes, found 79")
    }

    @Test("settings out of range are refused by name")
    func settings() {
        func name(
            _ size: Int = 8, _ fraction: Double = 1, _ mean: [Float] = [0, 0, 0], _ deviation: [Float] = [1, 1, 1]
        ) -> String? {
            do {
                _ = try Preprocessor(
                    PreprocessConfiguration(cropFraction: fraction, mean: mean, standardDeviation: deviation),
                    imageSize: size)
                return nil
            } catch PreprocessingError.invalidSetting(let name, _, _) {
                return name
            } catch {
                return "\(error)"
            }
        }
        #expect(name() == nil)
        #expect(name(Preprocessor.maximumImageSize) == nil)
        for size in [0, -1, Int.min, Preprocessor.maximumImageSize + 1, .max] { #expect(name(size) == "imageSize") }
        for fraction in [0, -0.9, .nan, .infinity, 8.1, 1e-300] as [Double] {
            #expect(name(8, fraction) == "cropFraction", "\(fraction)")
        }
        #expect(name(8, 8) == nil)
        for mean in [[], [0, 0], [0, 0, 0, 0], [0, .nan, 0], [0, 0, .infinity]] as [[Float]] {
            #expect(name(8, 1, mean) == "mean", "\(mean)")
        }
        for deviation in [[], [1, 1], [1, 0, 1], [1, 1, .nan], [.infinity, 1, 1]] as [[Float]] {
            #expect(name(8, 1, [0, 0, 0], deviation) == "standardDeviation", "\(deviation)")
        }
    }

    @Test("the resized side is rounded down")
    func resizedSide() throws {
        #expect(try Fixtures.preprocessor(224, 0.9).resizedSide == 248)
        #expect(try Fixtures.preprocessor(224, 0.875).resizedSide == 256)
        #expect(try Fixtures.preprocessor(384, 1).resizedSide == 384)
        #expect(try Fixtures.preprocessor(8, 1.1).resizedSide == 7)
    }

    @Test("a thread of an image is refused before anything is allocated for it")
    func elongated() throws {
        let length = 1 << 24
        let image = try buffer(1, length, .gray8, count: length)
        #expect(
            throws: PreprocessingError.tooElongated(
                width: 1, height: length, resizedSide: 248 * length, maximumSide: Int(Int32.max))
        ) { try Fixtures.preprocessor(224, 0.9)(image) }
        // As a small result there is nothing against it.
        #expect(try Fixtures.preprocessor(4, 1)(image).count == 48)
    }

    @Test("every tier of kernels gives the same values", arguments: KernelSet.usable.map(\.name))
    func tiers(_ name: String) throws {
        let kernels = try #require(KernelSet.usable.first { $0.name == name })
        for fixture in Fixtures.cases {
            let reference = try fixture.preprocessor()
            let preprocessor = try Preprocessor(
                reference.configuration, imageSize: reference.imageSize, kernels: kernels)
            #expect(try preprocessor(fixture.image()) == reference(fixture.image()), "\(fixture)")
        }
    }

    @Test("one preprocessor serves many tasks at once")
    func concurrency() async throws {
        let fixture = Fixtures.cases[0]
        let image = try fixture.image()
        let preprocessor = try fixture.preprocessor()
        let expected = try preprocessor(image)
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<16 { group.addTask { try preprocessor(image) } }
            for try await result in group { #expect(result == expected) }
        }
    }
}
