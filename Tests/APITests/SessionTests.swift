import CETNet
import TestSupport
import Testing

@Suite struct SessionTests {
    private let size = ImageSize(height: 40, width: 72)

    @Test(arguments: [1, 2])
    func runsAsTheModelDoes(threads: Int) throws {
        let model = try tinyModel()
        let batch = try images(3, 40, 72)
        let expected = try model.logitsAndFeatures(batch)
        let session = try Session(model, threads: threads)
        #expect(session.threads == threads)
        try session.prepare(imageSize: size, batch: 3)
        #expect(session.workingBytes > 0)

        var logits = Tensor(zeros: [3, TinyModel.labelCount])
        for _ in 0..<2 {
            logits.withUnsafeMutableValues { $0.update(repeating: .nan) }
            try batch.values.withUnsafeBufferPointer { input in
                try logits.withUnsafeMutableValues { output in
                    try session.run(input: input, batch: 3, imageSize: size, logits: output)
                }
            }
            #expect(bits(logits.values) == bits(expected.logits.values))
        }

        var values = [Float](repeating: .nan, count: 3 * TinyModel.labelCount)
        var span = values.mutableSpan
        try session.run(input: batch.values.span, batch: 3, imageSize: size, logits: &span)
        #expect(bits(values) == bits(expected.logits.values))

        let maps = expected.features.map {
            UnsafeMutableBufferPointer<Float>.allocate(capacity: $0.values.count)
        }
        defer { for map in maps { map.deallocate() } }
        try batch.values.withUnsafeBufferPointer { input in
            try logits.withUnsafeMutableValues { output in
                try session.run(input: input, batch: 3, imageSize: size, logits: output, features: maps)
            }
        }
        #expect(maps.map { bits($0) } == expected.features.map { bits($0.values) })
    }

    @Test func buffersThatAreTooSmallAreRefused() throws {
        let session = try Session(tinyModel())
        var logits = [Float](repeating: 0, count: 2 * TinyModel.labelCount)
        let input = [Float](repeating: 0, count: 2 * 3 * size.area)
        func run(_ inputs: Int, _ outputs: Int, batch: Int) throws {
            try input[..<inputs].withUnsafeBufferPointer { input in
                try logits[..<outputs].withUnsafeMutableBufferPointer { output in
                    try session.run(input: input, batch: batch, imageSize: size, logits: output)
                }
            }
        }
        try run(2 * 3 * size.area, 2 * TinyModel.labelCount, batch: 2)
        #expect(throws: ModelError.buffer(of: "the input", needed: 6 * size.area, found: 6 * size.area - 1)) {
            try run(2 * 3 * size.area - 1, 2 * TinyModel.labelCount, batch: 2)
        }
        #expect(throws: ModelError.buffer(of: "the logits", needed: 14, found: 13)) {
            try run(2 * 3 * size.area, 13, batch: 2)
        }
        #expect(throws: ModelError.self) { try run(0, 0, batch: 0) }
        #expect(throws: ModelError.self) { try session.prepare(imageSize: ImageSize(square: 31), batch: 1) }
        #expect(throws: ModelError.self) { try session.prepare(imageSize: ImageSize(square: 4096), batch: 5) }
        #expect(throws: ModelError.option(name: "threads", allowed: "1 to 64", found: 0)) {
            try Session(tinyModel(), threads: 0)
        }
    }
}
