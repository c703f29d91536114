import CETNet
import CETNetImaging
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increment() { count.add(1, ordering: .sequentiallyConsistent) }
}

@Suite struct ConcurrencyTests {
    @Test(arguments: [1, 2, 3])
    func tasksShareAModel(concurrency: Int) async throws {
        let model = try tinyModel(threads: 1, concurrency: concurrency)
        let expected = try (0..<8).map { bits(try syncLogits(model, images(1, seed: $0)).values) }
        let found = try await withThrowingTaskGroup(of: (Int, [UInt32]).self) { group in
            for seed in 0..<8 {
                group.addTask { (seed, bits(try await model.logits(images(1, seed: seed)).values)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for seed in 0..<8 { #expect(found[seed] == expected[seed], "image \(seed)") }
    }

    @Test func threadsShareAModel() throws {
        let model = try tinyModel(threads: 1, concurrency: 2)
        let expected = try (0..<4).map { bits(try model.logits(images(1, seed: $0)).values) }
        let wrong = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 12) { iteration in
            let logits = try? model.logits(images(1, seed: iteration % 4))
            if logits.map({ bits($0.values) }) != expected[iteration % 4] { wrong.withLock { $0.append(iteration) } }
        }
        #expect(wrong.withLock { $0 } == [])
    }

    @Test func asyncFormsGiveWhatTheBlockingOnesGive() async throws {
        let model = try tinyModel()
        let directory = try TemporaryDirectory()
        let bytes = PNGImage.pattern(width: 64, height: 80, seed: 3)
        let url = URL(fileURLWithPath: try directory.write(bytes, to: "a.png"))
        let image = try picture(width: 64, height: 80, seed: 3)
        let expected = try syncClassify(model, image)
        #expect(try await model.classify(image, top: 3) == expected)
        #expect(try await model.classify([image, image], top: 3) == [expected, expected])
        #expect(try await model.classify(model.preprocess(image), top: 3) == [expected])
        #expect(try await model.classify(imageAt: url, top: 3) == expected)
        #expect(try await model.classify(imageAt: url.path, top: 3) == expected)
        #expect(try await model.classify(imageData: Data(bytes), top: 3) == expected)
        #expect(try await model.classify(imagesAt: [url], top: 3).map { try $0.get() } == [expected])
        #expect(try await model.features(images(1)).map(\.shape.count) == [4, 4, 4, 4])
        await #expect(throws: ModelError.self) { try await model.logits(Tensor(zeros: [1])) }
    }

    @Test func aCancelledTaskDoesNotBegin() async throws {
        let model = try tinyModel()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await model.logits(images(1))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func waitingWorkIsCancelledAtOnce() async throws {
        let model = try tinyModel(threads: 1, concurrency: 1)
        let release = DispatchSemaphore(value: 0)
        let begun = Counter()
        // Two pieces of work may be under way for each run at a time: one prepares its images while the other runs.
        let busy = (0..<2).map { _ in
            Task {
                try await model.inBackground {
                    begun.increment()
                    release.wait()
                }
            }
        }
        while begun.value < 2 { try await Task.sleep(for: .milliseconds(1)) }
        let runs = Counter()
        let waiting = Task { try await model.inBackground { runs.increment() } }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        for _ in busy { release.signal() }
        for task in busy { try await task.value }
        #expect(runs.value == 0)
    }

    // In an async function the async forms are chosen.
    private func syncLogits(_ model: Model, _ batch: Tensor) throws -> Tensor { try model.logits(batch) }
    private func syncClassify(_ model: Model, _ image: PixelBuffer) throws -> [Prediction] {
        try model.classify(image, top: 3)
    }
}
