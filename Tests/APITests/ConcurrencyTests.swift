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
        let expected = try (0..<8).map { bits(try model.logits(images(1, seed: $0)).values) }
        let found = try await withThrowingTaskGroup(of: (Int, [UInt32]).self) { group in
            for seed in 0..<8 {
                group.addTask { (seed, bits(try await model.async.logits(images(1, seed: seed)).values)) }
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
        let image = Image.pixels(try picture(width: 64, height: 80, seed: 3))
        let expected = try model.classify(image, top: 3)
        #expect(try await model.async.classify(image, top: 3) == expected)
        #expect(try await model.async.classify([image, image], top: 3).map { try $0.get() } == [expected, expected])
        #expect(try await model.async.classify(model.async.preprocess(image), top: 3) == [expected])
        #expect(try await model.async.classify(.file(url), top: 3) == expected)
        #expect(try await model.async.classify(.file(url.path), top: 3) == expected)
        #expect(try await model.async.classify(.encoded(bytes), top: 3) == expected)
        #expect(try await model.async.features(images(1)).map(\.shape.count) == [4, 4, 4, 4])
        let (logits, features) = try await model.async.logitsAndFeatures(images(1))
        #expect(try logits == model.logits(images(1)) && features == model.features(images(1)))
        #expect(try await model.async.run(["image": images(1)], outputs: ["logits"]) == ["logits": logits])
        await #expect(throws: ModelError.self) { try await model.async.logits(Tensor(zeros: [1])) }

        try tinyConfiguration().writeRandomModel(seed: 1, to: directory.url.appendingPathComponent("tiny"))
        let options = Model.Options(threads: 1, concurrency: 1)
        let loaded = try await Model.load(path: directory.path("tiny"), options: options)
        let made = try await Model.load(configuration: tinyConfiguration(), randomSeed: 1, options: options)
        for other in [loaded, made] { #expect(try other.classify(image, top: 3) == expected) }
    }

    @Test func aCancelledTaskDoesNotBegin() async throws {
        let model = try tinyModel()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await model.async.logits(images(1))
        }
        await #expect(throws: ModelError.cancelled) { try await task.value }
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
        weak var input: Counter?
        let waiting = {
            let held = Counter()
            input = held
            return Task { [held] in
                try await model.inBackground {
                    held.increment()
                    runs.increment()
                }
            }
        }()
        waiting.cancel()
        await #expect(throws: ModelError.cancelled) { try await waiting.value }
        #expect(input == nil, "cancelled work is dropped with what it holds")
        for _ in busy { release.signal() }
        for task in busy { try await task.value }
        #expect(runs.value == 0)
    }

    @Test(arguments: [1, 2, 3], [1, 2])
    func classificationsComeInOrder(batch: Int, threads: Int) async throws {
        let model = try tinyModel(threads: threads)
        let pictures = try (0..<5).map { Image.pixels(try picture(width: 64, height: 60 + $0, seed: $0)) }
        let images = pictures + [.file("missing.png")]
        let expected = try pictures.map { try model.classify($0, top: 2) }
        let stream = AsyncStream { continuation in
            for image in images { continuation.yield(image) }
            continuation.finish()
        }
        for classifications in [
            model.async.classifications(of: images, top: 2, batch: batch),
            model.async.classifications(of: stream, top: 2, batch: batch),
        ] {
            var indices: [Int] = []
            for try await (index, result) in classifications {
                indices.append(index)
                #expect((try? result.get()) == (index < 5 ? expected[index] : nil), "image \(index)")
            }
            #expect(indices == Array(0..<6))
        }
        await #expect(throws: ModelError.option(name: "batch", allowed: "1 or more", found: 0)) {
            try await model.async.classify(images, batch: 0)
        }
    }

    @Test func aCancelledLoopStopsWithinOneGroup() async throws {
        let model = try tinyModel()
        let reads = Counter()
        let buffer = try picture(width: 64, height: 64, seed: 1)
        let image = Image(name: "counted") {
            reads.increment()
            return buffer
        }
        let task = Task {
            for try await (index, _) in model.async.classifications(of: repeatElement(image, count: 1000), batch: 2)
            where index == 4 { withUnsafeCurrentTask { $0?.cancel() } }
        }
        await #expect(throws: ModelError.cancelled) { try await task.value }
        #expect(reads.value == 6)
    }
}
