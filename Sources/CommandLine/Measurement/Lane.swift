import CETNet
import Foundation

/// One session with images of its own. Running it allocates nothing beside what the session does.
final class Lane {
    let session: Session
    private let imageSize: ImageSize
    private let batch: Int
    private let input: UnsafeMutableBufferPointer<Float>
    private let logits: UnsafeMutableBufferPointer<Float>

    /// - Parameter seed: of the images, whose numbers are spread evenly over −2...2.
    init(_ model: Model, threads: Int, imageSize: ImageSize, batch: Int, seed: UInt64) throws(ModelError) {
        session = try Session(model, threads: threads)
        self.imageSize = imageSize
        self.batch = batch
        input = try Self.allocate(batch * 3 * imageSize.area)
        logits = try Self.allocate(batch * model.logitsCount(imageSize: imageSize))
        // Knuth's MMIX generator; the upper bits are good enough for noise.
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        for index in input.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            input[index] = Float(state >> 40) * 0x1p-22 - 2
        }
    }

    deinit {
        free(input.baseAddress)
        free(logits.baseAddress)
    }

    /// Zeros, or an error where Swift's own memory would end the program.
    private static func allocate(_ count: Int) throws(ModelError) -> UnsafeMutableBufferPointer<Float> {
        let size = MemoryLayout<Float>.stride
        guard let memory = calloc(count, size) else { throw .outOfMemory(bytes: count * size) }
        return UnsafeMutableBufferPointer(start: memory.bindMemory(to: Float.self, capacity: count), count: count)
    }

    /// Runs the batch, and says how long that took in milliseconds.
    func run() throws(ModelError) -> Double {
        let start = ContinuousClock.now
        try session.run(input: UnsafeBufferPointer(input), batch: batch, imageSize: imageSize, logits: logits)
        return start.duration(to: .now).milliseconds
    }

    /// Does what ``run()`` does, and adds the milliseconds of each step to `steps`.
    func profile(into steps: UnsafeMutableBufferPointer<Double>) throws(ModelError) -> Double {
        let start = ContinuousClock.now
        try session.profile(
            input: UnsafeBufferPointer(input), batch: batch, imageSize: imageSize, logits: logits
        ) { step, nanoseconds in
            steps[step] += Double(nanoseconds) / 1e6
        }
        return start.duration(to: .now).milliseconds
    }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
