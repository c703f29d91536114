import CETNet
import Foundation
import TestSupport
import Testing

@Suite struct LogitsTests {
    @Test func shapesOfResults() throws {
        let model = try tinyModel()
        let (logits, features) = try model.logitsAndFeatures(images(2, 64, 96))
        #expect(logits.shape == [2, TinyModel.labelCount])
        #expect(features.map(\.shape) == [[2, 32, 16, 24], [2, 64, 8, 12], [2, 96, 4, 6], [2, 128, 2, 3]])
        #expect(
            try model.outputs(imageSize: ImageSize(height: 64, width: 96)).map { $0.shape.map { $0 ?? 2 } }
                == features.map(\.shape) + [logits.shape])
    }

    @Test func tensorsByName() throws {
        let model = try tinyModel()
        let batch = try images(2, 64, 96)
        let (logits, features) = try model.logitsAndFeatures(batch)
        #expect(model.inputs.map(\.name) == ["image"] && model.inputs.map(\.shape) == [[nil, 3, nil, nil]])
        let names = try model.outputs(imageSize: ImageSize(height: 64, width: 96)).map(\.name)
        #expect(names == ["stage1", "stage2", "stage3", "stage4", "logits"])
        let all = try model.run(["image": batch])
        #expect(all == Dictionary(uniqueKeysWithValues: zip(names, features + [logits])))
        #expect(try model.run(["image": batch], outputs: ["stage2"]) == ["stage2": features[1]])
        #expect(try model.run(["image": batch], outputs: ["logits"]) == ["logits": logits])
        #expect(throws: ModelError.noTensor(name: "stage5", known: names)) {
            try model.run(["image": batch], outputs: ["stage5"])
        }
        #expect(throws: ModelError.noTensor(name: "x", known: ["image"])) {
            try model.run(["image": batch, "x": batch])
        }
        #expect(throws: ModelError.noTensor(name: "image", known: [])) { try model.run([:]) }
    }

    @Test func warmingUpChangesNothing() throws {
        let model = try tinyModel(threads: 1, concurrency: 2)
        try model.warmUp(imageSize: ImageSize(height: 64, width: 96), batch: 2)
        try model.warmUp()
        #expect(try model.logits(images(1)) == tinyModel().logits(images(1)))
        #expect(throws: ModelError.self) { try model.warmUp(imageSize: ImageSize(square: 31)) }
        #expect(throws: ModelError.self) { try model.warmUp(batch: 0) }
    }

    @Test func logitsAndFeaturesAreThoseOfTheSingleCalls() throws {
        let model = try tinyModel()
        let batch = try images(2, 40, 72)
        let (logits, features) = try model.logitsAndFeatures(batch)
        #expect(bits(logits.values) == bits(try model.logits(batch).values))
        #expect(features.map { bits($0.values) } == (try model.features(batch)).map { bits($0.values) })
    }

    @Test(arguments: [
        [3, 64, 64], [1, 1, 64, 64], [1, 64, 64, 3], [0, 3, 64, 64], [1, 1, 3, 64, 64], [],
    ])
    func otherShapesAreRefused(shape: [Int]) throws {
        let model = try tinyModel()
        #expect(throws: ModelError.shape(of: "an image batch", expected: "(batch, 3, height, width)", found: shape)) {
            try model.logits(Tensor(zeros: shape))
        }
    }

    @Test(arguments: [[31, 64], [64, 31], [0, 64], [32, 8193]])
    func otherSizesAreRefused(sides: [Int]) throws {
        let model = try tinyModel()
        let size = ImageSize(height: sides[0], width: sides[1])
        #expect {
            try model.logits(Tensor(zeros: [1, 3, size.height, size.width]))
        } throws: { error in
            guard case ModelError.imageSize(size, _) = error else { return false }
            return true
        }
    }

    @Test func smallestSizeRuns() throws {
        let logits = try tinyModel().logits(images(1, 32, 32))
        #expect(logits.values.allSatisfy { $0.isFinite }, "\(logits.values)")
    }

    @Test func resultsDoNotDependOnBatchOrThreads() throws {
        let batch = try images(3, 45, 60)
        let reference = try tinyModel(threads: 1).logits(batch)
        #expect(Set(bits(reference.values)).count > TinyModel.labelCount, "\(reference.values)")
        for threads in 1...3 {
            let model = try tinyModel(threads: threads)
            #expect(bits(try model.logits(batch).values) == bits(reference.values), "threads \(threads)")
            for image in 0..<3 {
                let alone = try model.logits(images(1, 45, 60, seed: image))
                #expect(bits(alone.values) == bits(reference[row: image]), "threads \(threads), image \(image)")
            }
        }
    }

    @Test func largeBatchesAreCutWithoutATrace() throws {
        // Four images of 512×512 are more than run at once on one thread.
        let model = try tinyModel()
        let (logits, features) = try model.logitsAndFeatures(images(4, 512, 512))
        for image in [0, 3] {
            let alone = try model.logitsAndFeatures(images(1, 512, 512, seed: image))
            #expect(bits(logits[row: image]) == bits(alone.logits.values), "image \(image)")
            for stage in 0..<4 {
                #expect(
                    bits(features[stage][row: image]) == bits(alone.features[stage].values),
                    "image \(image), stage \(stage + 1)")
            }
        }
    }

    @Test func notANumberStaysInItsImage() throws {
        let model = try tinyModel()
        let clean = try images(3)
        var dirty = clean
        let count = 3 * 64 * 64
        dirty.withUnsafeMutableValues { $0[count + count / 2] = .nan }
        let (expected, found) = (try model.logits(clean), try model.logits(dirty))
        #expect(found[row: 1].contains { $0.isNaN }, "\(found[row: 1])")
        for image in [0, 2] {
            #expect(bits(found[row: image]) == bits(expected[row: image]), "image \(image)")
        }
        #expect(throws: ModelError.notFinite(image: 1)) { try model.classify(dirty) }
    }
}
