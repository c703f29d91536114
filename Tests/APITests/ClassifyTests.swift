import CETNet
import CETNetImaging
import Foundation
import TestSupport
import Testing

@Suite struct ClassifyTests {
    @Test func probabilitiesAreTheSoftmaxOfTheLogits() throws {
        let model = try tinyModel()
        let batch = try images(2)
        let logits = try model.logits(batch)
        let predictions = try model.classify(batch, top: 100)
        for image in 0..<2 {
            #expect(predictions[image].map(\.index).sorted() == Array(0..<TinyModel.labelCount))
            let exponentials = logits[row: image].map { exp(Double($0)) }
            let sum = exponentials.reduce(0, +)
            var previous: Float = .infinity
            for prediction in predictions[image] {
                let expected = exponentials[prediction.index] / sum
                let difference = abs(Double(prediction.probability) - expected)
                // One rounding to float32, and the doubles' own.
                #expect(!(difference > expected * 0x1p-23), "\(prediction): expected \(expected)")
                #expect(prediction.probability <= previous, "not sorted: \(predictions[image])")
                #expect(prediction.label == model.configuration.labels[prediction.index])
                previous = prediction.probability
            }
        }
    }

    @Test func logitsAreRankedAsImagesAre() throws {
        let model = try tinyModel()
        let batch = try images(2)
        let logits = try model.logits(batch)
        let ranked = try (0..<2).map { try model.predictions(logits: logits[row: $0], top: 3) }
        #expect(ranked == (try model.classify(batch, top: 3)))
        #expect(throws: ModelError.shape(of: "logits", expected: "[\(TinyModel.labelCount)]", found: [2])) {
            try model.predictions(logits: [1, 2])
        }
        let damaged = [Float](repeating: .nan, count: TinyModel.labelCount)
        #expect(throws: ModelError.notFinite(image: 0)) { try model.predictions(logits: damaged[...]) }
    }

    @Test func threadsWithoutANumberAreThoseThatMayBeUsed() throws {
        #expect(try tinyModel(threads: nil, concurrency: nil).threads == Model.Options.usableThreads)
    }

    @Test func largeLogitsDoNotOverflow() throws {
        // Images of enormous contrast: where logits are finite, probabilities have to be.
        let model = try tinyModel()
        var batch = try images(1)
        batch.withUnsafeMutableValues { for index in $0.indices { $0[index] *= 1e4 } }
        let predictions = try model.classify(batch, top: 100)[0]
        let sum = predictions.reduce(0) { $0 + Double($1.probability) }
        #expect(!(abs(sum - 1) > 1e-6), "\(predictions)")
    }

    @Test func countOfPredictions() throws {
        let model = try tinyModel()
        let image = Image.pixels(try picture(width: 80, height: 70, seed: 1))
        #expect(try model.classify(image).count == 5)
        #expect(try model.classify(image, top: 1).count == 1)
        #expect(try model.classify(image, top: 0).isEmpty)
        #expect(try model.classify(image, top: 100).count == TinyModel.labelCount)
    }

    @Test func picturesTogetherAndAlone() throws {
        let model = try tinyModel(threads: 2)
        let pictures = try (0..<5).map { Image.pixels(try picture(width: 60 + 7 * $0, height: 90 - 5 * $0, seed: $0)) }
        let together = try model.classify(pictures, top: 3).map { try $0.get() }
        #expect(together == (try pictures.map { try model.classify($0, top: 3) }))
        #expect(Set(together).count > 1, "every picture has the same predictions: \(together)")
        #expect(try model.classify([Image](), top: 3).isEmpty)
        #expect(try model.preprocess(pictures).shape == [5, 3, 64, 64])
    }

    @Test func imageFiles() throws {
        let model = try tinyModel(threads: 2)
        let directory = try TemporaryDirectory()
        var urls: [URL] = []
        for seed in 0..<5 {
            let bytes = PNGImage.pattern(width: 70 + seed, height: 66, seed: seed)
            urls.append(URL(fileURLWithPath: try directory.write(bytes, to: "\(seed).png")))
        }
        let expected = try (0..<5).map { try model.classify(.pixels(picture(width: 70 + $0, height: 66, seed: $0))) }
        #expect(try urls.map { try model.classify(.file($0)) } == expected)
        #expect(try urls.map { try model.classify(.file($0.path)) } == expected)
        let encoded = try urls.map { try Data(contentsOf: $0) }
        #expect(try encoded.map { try model.classify(.encoded($0)) } == expected)
        #expect(try encoded.map { try model.classify(.encoded([UInt8]($0))) } == expected)
        let backwards: [ReversedCollection<[UInt8]>] = encoded.map { [UInt8]($0.reversed()).reversed() }
        #expect(try backwards.map { try model.classify(.encoded($0)) } == expected, "bytes that are not contiguous")
        #expect(
            try model.preprocess(.file(urls[0]))
                == (try model.preprocess(.pixels(picture(width: 70, height: 66, seed: 0)))))
    }

    @Test(arguments: [1, 2, 3, 8])
    func aBadFileDoesNotStopTheOthers(batch: Int) throws {
        let model = try tinyModel(threads: 2)
        let directory = try TemporaryDirectory()
        var urls: [URL] = []
        for seed in 0..<7 {
            let bytes = PNGImage.pattern(width: 64, height: 64, seed: seed)
            // 2 is damaged, 3 is missing, 6 is no image.
            switch seed {
            case 2: try directory.write(Array(bytes.prefix(bytes.count / 2)), to: "2.png")
            case 3: break
            case 6: try directory.write(Array("text".utf8), to: "6.png")
            default: try directory.write(bytes, to: "\(seed).png")
            }
            urls.append(directory.url.appendingPathComponent("\(seed).png"))
        }
        let results = try model.classify(urls.map { .file($0) }, top: 3, batch: batch)
        let byPath = try model.classify(urls.map { .file($0.path) }, top: 3, batch: batch)
        #expect(byPath.map { try? $0.get() } == results.map { try? $0.get() })
        #expect(results.count == 7)
        for (seed, result) in results.enumerated() {
            if [2, 3, 6].contains(seed) {
                #expect(throws: ImageError.self) { try result.get() }
            } else {
                #expect(try result.get() == model.classify(.file(urls[seed]), top: 3), "image \(seed)")
            }
        }
    }

    @Test func resultsComeInOrderAndCanEndTheCall() throws {
        struct Enough: Error {}
        let model = try tinyModel()
        let directory = try TemporaryDirectory()
        let url = URL(
            fileURLWithPath: try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 1), to: "a.png"))
        var seen: [Int] = []
        #expect(throws: Enough.self) {
            try model.classify(repeatElement(.file(url), count: 4), batch: 2) { index, _ in
                seen.append(index)
                if index == 1 { throw Enough() }
            }
        }
        #expect(seen == [0, 1])
    }

    @Test func imagesAreTakenAsTheyAreNeeded() throws {
        struct Enough: Error {}
        let model = try tinyModel()
        let picture = Image.pixels(try picture(width: 64, height: 64, seed: 1))
        var taken = 0
        #expect(throws: Enough.self) {
            // Endless.
            try model.classify(
                sequence(first: picture) {
                    taken += 1; return $0
                }, batch: 2
            ) { index, _ in
                if index == 2 { throw Enough() }
            }
        }
        #expect(taken == 3, "two batches of two, the first image of which is there without asking")
        #expect(throws: ModelError.option(name: "batch", allowed: "1 or more", found: 0)) {
            try model.classify([picture], batch: 0)
        }
    }

    @Test func anImageThatCannotBePreparedIsNamed() throws {
        let length = 1 << 25
        let thread = try PixelBuffer(
            width: 1, height: length, format: .gray8, bytes: [UInt8](repeating: 0, count: length))
        let model = try tinyModel()
        let error = #expect(throws: ModelError.self) { try model.classify(.pixels(thread, name: "thread.png")) }
        guard case .preprocessing("thread.png", .tooElongated) = error else {
            Issue.record("\(error.debugDescription)")
            return
        }
        #expect("\(error!)".hasPrefix("thread.png: "), "\(error!)")
        #expect(error?.localizedDescription == error?.description)
    }
}
