import CETNetImaging
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// Images that are decoded at the same time need no more than their budget together.
@Suite struct MemoryBudgetTests {
    @Test func noMoreThanThereIs() {
        let budget = MemoryBudget(bytes: 100)
        let most = Mutex<(now: Int, most: Int)>((0, 0))
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<200 {
                let count = 10 + (thread * 31 + round * 17) % 60
                budget.take(count)
                most.withLock { $0 = ($0.now + count, max($0.most, $0.now + count)) }
                if round % 10 == 0 { usleep(100) }
                most.withLock { $0.now -= count }
                budget.give(back: count)
            }
        }
        let found = most.withLock { $0 }
        #expect(found.now == 0 && found.most <= 100, "\(found)")
    }

    /// An image that alone is too large waits for all others, and no later one goes before it.
    @Test func aLargeOneAloneAndInItsTurn() {
        let budget = MemoryBudget(bytes: 100)
        let log = Mutex<[String]>([])
        let (large, small) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        budget.take(60)
        Thread.detachNewThread {
            budget.take(1000)
            log.withLock { $0.append("large") }
            usleep(50_000)
            log.withLock { $0.append("done") }
            budget.give(back: 1000)
            large.signal()
        }
        usleep(100_000)
        Thread.detachNewThread {
            budget.take(1)
            log.withLock { $0.append("small") }
            budget.give(back: 1)
            small.signal()
        }
        usleep(100_000)
        #expect(log.withLock { $0 } == [], "both wait")
        budget.give(back: 60)
        large.wait()
        small.wait()
        #expect(log.withLock { $0 } == ["large", "done", "small"])
    }

    /// What an image took is there again when it is done, also where it is damaged or its user fails.
    @Test func nothingIsLost() throws {
        let memory = MemoryBudget(bytes: 3 * 64 * 64)
        let decoder = ImageDecoder(memory: memory)
        let png = PNGImage.pattern(width: 64, height: 64, seed: 1)
        for _ in 0..<3 {
            #expect(try decoder.decode(png).pixelCount == 64 * 64)
            #expect(throws: ImageError.self) { try decoder.decode(png.dropLast(40)) }
        }
        // Blocks for ever if anything is still taken: 1 byte goes beside nothing but an empty budget.
        memory.take(3 * 64 * 64)
        memory.give(back: 3 * 64 * 64)
    }
}
