import CKernels

/// Counts calls of malloc and its relatives, on all threads of the process, while it is switched on.
///
/// Swift's objects, arrays and closures get their memory from malloc, so they are counted too.
final class AllocationCounter {
    private var counted = 0
    private var countAtStart: Int64 = 0

    /// Counts from now on.
    func start() {
        countAtStart = cetnet_counted_allocations()
        cetnet_count_allocations(true)
    }

    /// Stops counting until the next ``start()``.
    func stop() {
        cetnet_count_allocations(false)
        counted += Int(cetnet_counted_allocations() - countAtStart)
    }

    /// Calls between all starts and stops; `nil` where calls cannot be counted.
    var count: Int? { Self.works ? counted : nil }

    private static let functions = ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"]

    /// Whether deliberate allocations are seen, by C and by Swift.
    ///
    /// They are not on systems where a program cannot put its own function in malloc's place in the way that
    /// `CBenchmarking` does it, nor where another library has done so first.
    static let works: Bool = {
        let counter = AllocationCounter()
        counter.start()
        let allocated = functions.allSatisfy { cetnet_allocate_once($0) }
        let object = Probe()
        counter.stop()
        return withExtendedLifetime(object) { allocated && counter.counted >= functions.count + 1 }
    }()

    private final class Probe {
        var value = 0
        // Not inlined, so that the object is really made.
        @inline(never) init() {}
    }
}
