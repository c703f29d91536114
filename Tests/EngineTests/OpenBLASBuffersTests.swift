import CETNetEngine
import CETNetGraph
import Dispatch
import Synchronization
import Testing

/// As many calls are inside OpenBLAS as it has buffers, however many sessions there are.
@Suite struct OpenBLASBuffersTests {
    @Test func moreCallersThanBuffers() throws {
        let size = ImageSize(height: 45, width: 58)
        let openBLAS = Variety.all.first { $0.backend == .openBLAS }!
        let (frozen, _) = try Fixture.network(try Fixture.file("tiny.safetensors"), openBLAS)
        let pixels = (0..<3 * size.area).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
        let expected = try Session(network: frozen, threads: 1).outputs(pixels, batch: 1, size: size).logits
        // 8 × 12 threads, which is more than the buffers that are ever asked for.
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let session = try? Session(network: frozen, threads: 12, sharesProcessors: false)
            for _ in 0..<3 where session?.outputs(pixels, batch: 1, size: size).logits != expected {
                wrong.add(1, ordering: .relaxed)
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    #if os(Linux)
        /// A claim that cannot be met is an error, and claims that are let go are used again.
        @Test func claims() throws {
            try OpenBLAS.load()
            for _ in 0..<200 { _ = try OpenBLASBuffers(8) }
            let claims = try (0..<3).map { _ in try OpenBLASBuffers(2) }
            #expect(claims.count == 3)
        }
    #endif
}
