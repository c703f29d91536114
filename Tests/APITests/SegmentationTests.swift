import CETNet
import CETNetImaging
import Foundation
import TestSupport
import Testing

@Suite struct SegmentationTests {
    static let labels = ["wall", "sky", "tree", "road", "cat"]

    /// A small segmentation model with random weights, for images squashed to 64×64.
    static func model(threads: Int = 2) throws -> Model {
        let json = """
            {"model_type": "cetnet", "task": "segmentation", "dims": [16, 16, 24, 32], "depths": [1, 2, 1, 1],
             "num_heads": [1, 2, 2, 2], "mlp_ratios": [2, 2, 2, 2], "stem_channels": [8, 8], "image_size": 64,
             "head": {"type": "upernet", "hidden_size": 16},
             "id2label": {"0": "wall", "1": "sky", "2": "tree", "3": "road", "4": "cat"}}
            """
        return try Model(
            configuration: ModelConfiguration(json: Data(json.utf8), source: "test"), randomSeed: 6,
            options: Model.Options(threads: threads, concurrency: 1))
    }

    /// What a model's logits say of each pixel of an image: resized, in double precision, to one size and then another.
    private func resized(_ logits: ArraySlice<Float>, _ sizes: [ImageSize]) -> [[Double]] {
        func lerp(_ values: [Double], from n: Int, to m: Int) -> [Double] {
            (0..<m).map { index in
                let place = max(0, (Double(index) + 0.5) * Double(n) / Double(m) - 0.5)
                let lower = min(Int(place), n - 1)
                let weight = place - Double(lower)
                return values[lower] * (1 - weight) + values[min(lower + 1, n - 1)] * weight
            }
        }
        let area = sizes[0].area
        let start = logits.startIndex
        return (0..<logits.count / area).map { label in
            var plane = logits[start + label * area..<start + (label + 1) * area].map(Double.init)
            for (from, to) in zip(sizes, sizes.dropFirst()) {
                let wide = (0..<from.height).map { row in
                    lerp(Array(plane[row * from.width..<(row + 1) * from.width]), from: from.width, to: to.width)
                }
                let columns = (0..<to.width).map { column in
                    lerp(wide.map { $0[column] }, from: from.height, to: to.height)
                }
                plane = (0..<to.height).flatMap { row in columns.map { $0[row] } }
            }
            return plane
        }
    }

    /// Every pixel has a label whose logit is the largest, but for rounding.
    private func expectLargest(_ map: SegmentationMap, _ logits: [[Double]], _ name: String) {
        #expect(map.indices.count == map.width * map.height && map.indices.count == logits[0].count, "\(name)")
        for (pixel, label) in map.indices.enumerated() {
            let largest = logits.map { $0[pixel] }.max()!
            guard largest - logits[Int(label)][pixel] > 1e-4 else { continue }
            Issue.record("\(name): pixel \(pixel) has label \(label), \(logits.map { $0[pixel] })")
            return
        }
    }

    @Test func labelsAreTheLargestLogits() throws {
        let model = try Self.model()
        let pixels = try picture(width: 90, height: 47, seed: 2)
        let map = try model.segment(.pixels(pixels))
        #expect(map.width == 90 && map.height == 47 && map.labels == Self.labels)
        let logits = try model.logits(model.preprocess(.pixels(pixels)))
        #expect(logits.shape == [1, 5, 16, 16])
        let expected = resized(
            logits[row: 0],
            [ImageSize(square: 16), ImageSize(square: 64), ImageSize(height: 47, width: 90)])
        expectLargest(map, expected, "whole")
        #expect(Set(map.indices).count >= 2, "one label everywhere proves nothing")

        let shares = map.shares
        #expect(shares.map(\.pixels).reduce(0, +) == 90 * 47)
        for share in shares {
            let mask = map.mask(of: share.index)
            #expect(mask.count { $0 } == share.pixels && share.label == Self.labels[share.index])
            #expect(abs(share.share * 90 * 47 - Double(share.pixels)) < 1e-6)
        }
        #expect(shares.map(\.pixels) == shares.map(\.pixels).sorted(by: >))
        #expect(
            map.label(x: 89, y: 46) == Self.labels[Int(map.indices.last!)] && map[x: 0, y: 0] == Int(map.indices[0]))

        let probabilities = try model.segmentationProbabilities(.pixels(pixels))
        #expect(probabilities.shape == [5, 47, 90])
        for pixel in stride(from: 0, to: 90 * 47, by: 7) {
            let exponentials = expected.map { exp($0[pixel]) }
            for label in 0..<5 {
                let found = Double(probabilities.values[label * 90 * 47 + pixel])
                let wanted = exponentials[label] / exponentials.reduce(0, +)
                #expect(abs(found - wanted) < 1e-4, "pixel \(pixel), label \(label): \(found), not \(wanted)")
            }
        }
    }

    @Test func aBatchHasTheLabelsOfEachImage() throws {
        let model = try Self.model()
        let batch = try images(3, 45, 70)
        let together = try model.segment(batch)
        for index in 0..<3 {
            let alone = try Self.model(threads: 1 + index).segment(images(1, 45, 70, seed: index))
            #expect(alone == [together[index]], "image \(index)")
        }
        let logits = try model.run(["image": batch], outputs: ["logits"])["logits"]!
        #expect(logits.shape == [3, 5, 12, 18])
        let sizes = [ImageSize(height: 12, width: 18), ImageSize(height: 45, width: 70)]
        expectLargest(together[1], resized(logits[row: 1], sizes), "batch")
        #expect(
            try model.features(batch).map(\.shape) == [
                [3, 16, 12, 18], [3, 16, 6, 9], [3, 24, 3, 5], [3, 32, 2, 3],
            ])
    }

    /// mmsegmentation's slide_inference, written down: tiles of the normalised image, logits resized to the tile, added
    /// up and divided by how many cover a pixel.
    @Test(arguments: [(32, 20, 75, 50), (48, 48, 96, 100), (40, 13, 40, 90), (64, 40, 33, 45)])
    func tiles(side: Int, stride: Int, height: Int, width: Int) throws {
        let model = try Self.model()
        let pixels = try picture(width: width, height: height, seed: 4)
        let mode = SegmentationMode.tiles(side: side, stride: stride)
        let mean = model.configuration.preprocess.mean, deviation = model.configuration.preprocess.standardDeviation
        var sums = [[Double]](repeating: [Double](repeating: 0, count: width * height), count: 5)
        var counts = [Double](repeating: 0, count: width * height)
        for row in 0...max(height - side + stride - 1, 0) / stride {
            for column in 0...max(width - side + stride - 1, 0) / stride {
                guard row <= max(height - side + stride - 1, 0) / stride else { continue }
                let (bottom, right) = (min(row * stride + side, height), min(column * stride + side, width))
                let (top, left) = (max(bottom - side, 0), max(right - side, 0))
                let size = ImageSize(height: bottom - top, width: right - left)
                var values: [Float] = []
                for channel in 0..<3 {
                    for y in top..<bottom {
                        for x in left..<right {
                            let byte = pixels.bytes[(y * width + x) * 3 + channel]
                            values.append((Float(byte) / 255 - mean[channel]) / deviation[channel])
                        }
                    }
                }
                let logits = try model.logits(Tensor(shape: [1, 3, size.height, size.width], values: values))
                let from = ImageSize(height: logits.shape[2], width: logits.shape[3])
                for (label, plane) in resized(logits[row: 0], [from, size]).enumerated() {
                    for (index, value) in plane.enumerated() {
                        sums[label][(top + index / size.width) * width + left + index % size.width] += value
                    }
                }
                for y in top..<bottom { for x in left..<right { counts[y * width + x] += 1 } }
            }
        }
        #expect(counts.allSatisfy { $0 > 0 })
        let expected = sums.map { zip($0, counts).map { $0 / $1 } }
        expectLargest(try model.segment(.pixels(pixels), mode: mode), expected, "tiles of \(side) every \(stride)")
        let probabilities = try model.segmentationProbabilities(.pixels(pixels), mode: mode)
        let pixel = width * height / 2 + width / 3
        let exponentials = expected.map { exp($0[pixel]) }
        for label in 0..<5 {
            let found = Double(probabilities.values[label * width * height + pixel])
            #expect(abs(found - exponentials[label] / exponentials.reduce(0, +)) < 1e-4, "label \(label)")
        }
        #expect(
            try Self.model(threads: 1).segment(.pixels(pixels), mode: mode)
                == model.segment(.pixels(pixels), mode: mode))
    }

    @Test func oneThatCannotBeReadDoesNotStopTheOthers() async throws {
        let model = try Self.model()
        let good = Image.pixels(try picture(width: 40, height: 30, seed: 1))
        let all = [good, .file("/nowhere.png"), good]
        let expected = try model.segment(good)
        func check(_ results: [Result<SegmentationMap, any Error>], _ name: String) {
            #expect(results.count == 3, "\(name)")
            #expect((try? results[0].get()) == expected && (try? results[2].get()) == expected, "\(name)")
            #expect(throws: ImageError.notFound(source: "/nowhere.png"), "\(name)") { try results[1].get() }
        }
        check(try model.segment(all), "blocking")
        check(try await model.async.segment(all), "async")
        var streamed: [Result<SegmentationMap, any Error>] = []
        for try await (index, result) in model.async.segmentations(of: all) {
            #expect(index == streamed.count)
            streamed.append(result)
        }
        check(streamed, "streamed")
        var handed: [Result<SegmentationMap, any Error>] = []
        try model.segment(all) {
            #expect($0 == handed.count); handed.append($1)
        }
        check(handed, "handed out")
        #expect(try await model.async.segment(good) == expected)
    }

    @Test func otherTasksAreRefused() throws {
        let (segmenter, classifier) = (try Self.model(), try tinyModel())
        let image = Image.pixels(try picture(width: 40, height: 30, seed: 1))
        let isSegmenter = ModelError.task(.segmentation, expected: .classification)
        let isClassifier = ModelError.task(.classification, expected: .segmentation)
        #expect(throws: isSegmenter) { try segmenter.classify(image) }
        #expect(throws: isSegmenter) { try segmenter.classify(images(1)) }
        #expect(throws: isClassifier) { try classifier.segment(image) }
        #expect(throws: isClassifier) { try classifier.segment(images(1)) }
        #expect(throws: isClassifier) { try classifier.segmentationProbabilities(image) }
        #expect(throws: isClassifier) { try classifier.segment([image]) { _, _ in } }
        #expect(isClassifier.description == "the model is for classification, not for segmentation")
    }

    @Test func sizesThatCannotBeRun() throws {
        let model = try Self.model()
        let image = Image.pixels(try picture(width: 40, height: 20, seed: 1))
        // Squashed, it can be; in tiles it is too low.
        #expect(try model.segment(image).height == 20)
        #expect(throws: ModelError.self) { try model.segment(image, mode: .tiles(side: 32, stride: 32)) }
        #expect(throws: ModelError.option(name: "stride", allowed: "1 to 32, the side of a tile", found: 33)) {
            try model.segment(image, mode: .tiles(side: 32, stride: 33))
        }
        #expect(throws: ModelError.self) { try model.segment(image, mode: .tiles(side: 31, stride: 1)) }
        #expect(throws: ModelError.self) { try model.segment(images(1, 31, 64)) }
        var batch = try images(2)
        batch.withUnsafeMutableValues { $0[$0.count - 1] = .nan }
        #expect(throws: ModelError.notFinite(image: 1)) { try model.segment(batch) }
    }

    /// Random weights of a model of full size say many labels of one image.
    @Test func randomWeightsSayMuch() throws {
        let model = try Model(variant: "cetnet-t-upernet", randomSeed: 1)
        let map = try model.segment(images(1, 128, 128))[0]
        #expect(map.shares.count >= 10 && map.shares[0].share < 0.7, "\(map.shares.prefix(12))")
    }

    @Test(arguments: [Precision.bfloat16, .int8]) func precisions(_ precision: Precision) throws {
        let configuration = try Self.model().configuration
        func model(threads: Int) throws -> Model {
            try Model(
                configuration: configuration, randomSeed: 6,
                options: Model.Options(precision: precision, threads: threads, concurrency: 1))
        }
        let batch = try images(2, 45, 70)
        let logits = try model(threads: 1).logits(batch)
        #expect(try model(threads: 3).logits(batch) == logits)
        let last = try model(threads: 2).logits(images(1, 45, 70, seed: 1))
        #expect(last.values == Array(logits[row: 1]))
        let exact = try Self.model().logits(batch)
        #expect(exact != logits)
        let error = zip(exact.values, logits.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let whole = exact.values.reduce(0) { $0 + $1 * $1 }
        #expect((error / whole).squareRoot() < 0.05, "relative error \((error / whole).squareRoot())")
    }
}
