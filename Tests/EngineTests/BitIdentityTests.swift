import CETNetEngine
import CETNetGraph
import CETNetKernels
import Testing

/// One answer for an image, bit for bit, whoever computes it and whatever is beside it.
@Suite struct BitIdentityTests {
    @Test(arguments: Variety.all) func batchesAndThreads(_ variety: Variety) throws {
        try check("tiny", variety, size: ImageSize(height: 71, width: 90), batches: [1, 3, 8, 2])
    }

    @Test(arguments: Variety.all, Fixture.studies)
    func studies(_ variety: Variety, model: String) throws {
        try check(model, variety, size: ImageSize(height: 45, width: 58), batches: [1, 3, 2])
    }

    /// The other precisions, on models that between them have every layer with weights.
    @Test(arguments: KernelSet.usable.map { Variety(kernels: $0, backend: .automatic) }, [Precision.bfloat16, .int8])
    func precisions(_ variety: Variety, precision: Precision) throws {
        let size = ImageSize(height: 71, width: 90)
        try check("tiny", variety, precision, size: size, batches: [1, 3, 8, 2])
        for model in ["tiny_stages0", "tiny_dense", "tiny_se-resnet"] + Fixture.backbones {
            try check(model, variety, precision, size: ImageSize(height: 45, width: 58), batches: [1, 3, 2])
        }
    }

    private func check(
        _ model: String, _ variety: Variety, _ precision: Precision = .float32, size: ImageSize, batches: [Int]
    ) throws {
        let images = batches.max()!
        let pixels = (0..<images * 3 * size.area).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
        let (frozen, _) = try Fixture.network(try Fixture.file(model + ".safetensors"), variety, precision: precision)
        let reference = try Session(network: frozen, threads: 1).outputs(
            pixels, batch: images, size: size, features: true)
        #expect(reference.logits.allSatisfy { $0.isFinite })
        let labels = reference.logits.count / images
        for threads in 1...4 {
            let session = try Session(network: frozen, threads: threads, sharesProcessors: false)
            // A larger batch before and after a smaller one: what a session keeps from run to run must not show.
            for batch in batches {
                let result = session.outputs(
                    Array(pixels[..<(batch * 3 * size.area)]), batch: batch, size: size, features: true)
                let name = "\(model), \(variety.testDescription), \(precision), \(threads) threads, batch \(batch)"
                #expect(result.logits == Array(reference.logits[..<(batch * labels)]), "\(name): logits")
                for (stage, map) in result.features.enumerated() {
                    let expected = reference.features[stage]
                    #expect(map == Array(expected[..<(expected.count / images * batch)]), "\(name): stage \(stage + 1)")
                }
            }
        }
    }

    /// Freezing on several threads gives the same weights.
    @Test func freezingThreads() throws {
        let file = try Fixture.file("tiny.safetensors")
        let size = ImageSize(square: 64)
        let pixels = (0..<3 * size.area).map { Float($0 % 255) / 128 - 1 }
        let logits = try [1, 3].map { threads in
            let (frozen, _) = try Fixture.network(file, Variety.all[0], threads: threads)
            return try Session(network: frozen, threads: 1).outputs(pixels, batch: 1, size: size).logits
        }
        #expect(logits[0] == logits[1])
    }

    /// A session that changes its image size forgets nothing and mixes nothing up.
    @Test func changingSizes() throws {
        let (frozen, _) = try Fixture.network(try Fixture.file("tiny.safetensors"), Variety.all[0])
        // More than it keeps, one of them much larger than the others.
        let sizes = [
            ImageSize(square: 32), ImageSize(height: 33, width: 47), ImageSize(height: 96, width: 40),
            ImageSize(square: 200), ImageSize(height: 64, width: 50), ImageSize(square: 45),
        ]
        func pixels(_ size: ImageSize) -> [Float] { (0..<3 * size.area).map { Float(($0 * 31) % 200) / 100 - 1 } }
        let fresh = try sizes.map {
            try Session(network: frozen, threads: 2, sharesProcessors: false).outputs(pixels($0), batch: 1, size: $0)
                .logits
        }
        let session = try Session(network: frozen, threads: 2, sharesProcessors: false)
        var bytes: [Int] = []
        for index in [0, 1, 2, 1, 0, 2, 3, 0, 3, 1, 2, 4, 5, 0, 3, 5] {
            let logits = session.outputs(pixels(sizes[index]), batch: 1, size: sizes[index]).logits
            #expect(logits == fresh[index], "at \(sizes[index])")
            bytes.append(session.arenaBytes)
        }
        // The memory of the largest stays while it is among the last four, and no longer.
        #expect(bytes[5] < bytes[6] && Set(bytes[6...10]).count == 1 && bytes[12] < bytes[6], "\(bytes)")
        #expect(bytes[14] == bytes[6], "\(bytes)")
    }
}
