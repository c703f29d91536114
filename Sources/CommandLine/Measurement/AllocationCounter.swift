import Foundation

/// Counts calls of malloc and its relatives, on all threads of the process, while it is switched on.
///
/// Swift's objects, arrays and closures get their memory from malloc, so they are counted too. The counting itself is
/// done by the library `AllocationCounter`, if whoever started the program preloaded it.
final class AllocationCounter {
    private var counted = 0
    private var countAtStart: Int64 = 0

    /// Counts from now on.
    func start() {
        countAtStart = Self.library?.counted() ?? 0
        Self.library?.count(true)
    }

    /// Stops counting until the next ``start()``.
    func stop() {
        Self.library?.count(false)
        counted += Int((Self.library?.counted() ?? 0) - countAtStart)
    }

    /// Calls between all starts and stops; `nil` where calls cannot be counted.
    var count: Int? { Self.works ? counted : nil }

    private typealias Count = @Sendable @convention(c) (Bool) -> Void
    private typealias Counted = @Sendable @convention(c) () -> Int64

    /// The functions of the library; `nil` where it is not in the process.
    private static let library: (count: Count, counted: Counted)? = {
        #if canImport(Glibc)
            guard let count = dlsym(nil, "cetnet_count_allocations"),
                let counted = dlsym(nil, "cetnet_counted_allocations")
            else { return nil }
            return (unsafeBitCast(count, to: Count.self), unsafeBitCast(counted, to: Counted.self))
        #else
            return nil
        #endif
    }()

    /// Whether deliberate allocations are seen: they are not if another library has put its functions in malloc's place.
    private static let works: Bool = {
        let counter = AllocationCounter()
        counter.start()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 64)
        let object = Probe()
        counter.stop()
        memory.deallocate()
        return withExtendedLifetime(object) { counter.counted >= 2 }
    }()

    private final class Probe {
        var value = 0
        // Not inlined, so that the object is really made.
        @inline(never) init() {}
    }
}
