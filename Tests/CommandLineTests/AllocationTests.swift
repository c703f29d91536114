#if os(Linux)
    import AllocationCounter
    import Testing

    /// Deliberate allocations are counted. Others of the test program come on top, so counts have only a lower limit;
    /// were malloc not replaced, nothing at all would be counted.
    @Suite(.serialized) struct AllocationTests {
        private final class Object {
            let value: Int
            @inline(never) init(_ value: Int) { self.value = value }
        }

        private func count(_ body: () -> Void) -> Int {
            let before = cetnet_counted_allocations()
            cetnet_count_allocations(true)
            body()
            cetnet_count_allocations(false)
            return Int(cetnet_counted_allocations() - before)
        }

        @Test(arguments: ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"])
        func callsOfC(function: String) {
            var succeeded = 0
            let counted = count {
                for _ in 0..<1000 where cetnet_allocate_once(function) { succeeded += 1 }
            }
            #expect(succeeded == 1000)
            #expect(counted >= 1000, "\(function): \(counted)")
        }

        @Test func objectsAndArraysOfSwift() {
            var sum = 0
            let counted = count {
                for index in 0..<1000 {
                    sum += Object(index).value
                    sum += [Int](repeating: index, count: index + 1)[index / 2]
                }
            }
            #expect(sum == 999 * 1000)
            #expect(counted >= 2000, "\(counted)")
        }

        @Test func nothingIsCountedWhileOff() {
            let before = cetnet_counted_allocations()
            for _ in 0..<1000 { _ = cetnet_allocate_once("malloc") }
            #expect(cetnet_counted_allocations() == before)
        }

        @Test func unknownFunctionsAreNotCalled() {
            #expect(!cetnet_allocate_once("free"))
        }
    }
#endif
