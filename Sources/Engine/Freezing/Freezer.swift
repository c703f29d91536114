import CETNetCheckpoint
import CETNetGraph
import CETNetKernels
import CETNetMemory
import Synchronization

/// Turns the tensors of a model into frozen weights: folds, transposes and packs them, several layers at a time.
///
/// Freezing goes in two rounds. In the first each layer reserves memory and hands in jobs; the second allocates one
/// block and runs the jobs on all threads.
struct Freezer {
    let kernels: KernelSet
    /// How matrices of float32 are stored.
    let format: WeightFormat
    /// What layers that have a choice store theirs in.
    let precision: Precision
    /// Whether they are in that format already.
    let isQuantized: Bool
    private var reserved = 0
    private var jobs: [Job] = []

    /// Fills the memory reserved for one layer.
    private struct Job: Sendable {
        /// Numbers that it writes, about.
        let cost: Int
        let run: @Sendable (Filling) throws -> Void
    }

    /// What a job works with.
    struct Filling: @unchecked Sendable {
        // Each job writes to the memory reserved for it only.
        let source: any TensorSource
        let kernels: KernelSet
        fileprivate let base: UnsafeMutableRawPointer

        func address(_ region: WeightRegion) -> UnsafeMutableRawPointer { base + region.offset }

        func floats(_ region: WeightRegion) -> UnsafeMutablePointer<Float> {
            address(region).assumingMemoryBound(to: Float.self)
        }
    }

    private init(kernels: KernelSet, format: WeightFormat, precision: Precision, isQuantized: Bool) {
        self.kernels = kernels
        self.format = format
        self.precision = precision
        self.isQuantized = isQuantized
    }

    /// Freezes the weights of `nodes`, which then know where they are.
    /// - Throws: what `source` throws for a tensor that is missing or unreadable; ``OutOfMemoryError``.
    static func freeze(
        _ nodes: inout [FusedNode], source: any TensorSource, kernels: KernelSet, format: WeightFormat,
        precision: Precision, isQuantized: Bool, threads: Int
    ) throws -> HugePageMemory {
        var freezer = Freezer(kernels: kernels, format: format, precision: precision, isQuantized: isQuantized)
        for index in nodes.indices { nodes[index].layer.reserve(in: &freezer) }
        let memory = try HugePageMemory(bytes: freezer.reserved)
        try freezer.runJobs(Filling(source: source, kernels: kernels, base: memory.base), threads: threads)
        return memory
    }

    // MARK: First round

    /// Reserves whole cache lines.
    mutating func reserve(bytes: Int) -> WeightRegion {
        defer { reserved += CacheLine.bytes(bytes) }
        return WeightRegion(offset: reserved)
    }

    mutating func reserve(floats: Int) -> WeightRegion { reserve(bytes: floats * MemoryLayout<Float>.stride) }

    /// Reserves room for a tensor that is kept as it is.
    mutating func reserve(_ parameter: Parameter) -> WeightRegion {
        let region = reserve(floats: parameter.count)
        fill(cost: parameter.count) { try $0.source.read(parameter, into: $0.floats(region)) }
        return region
    }

    /// Reserves room for what the projection in front of attention makes of a zero token: its bias, the queries' part
    /// scaled. Windows and stripes are padded with it.
    mutating func reservePaddedRow(_ bias: Parameter, channels: Int, headDimension: Int) -> WeightRegion {
        let region = reserve(floats: bias.count)
        fill(cost: bias.count) {
            let row = $0.floats(region)
            try $0.source.read(bias, into: row)
            let factor = 1 / Float(headDimension).squareRoot()
            for channel in 0..<channels { row[channel] *= factor }
        }
        return region
    }

    /// Adds a job of the second round.
    /// - Parameter cost: numbers that it writes, about.
    mutating func fill(cost: Int, _ run: @escaping @Sendable (Filling) throws -> Void) {
        jobs.append(Job(cost: cost, run: run))
    }

    // MARK: Second round

    private func runJobs(_ filling: Filling, threads: Int) throws {
        // Large ones first, so that no thread is left with the largest at the end.
        let ordered = jobs.sorted { $0.cost > $1.cost }
        let failure = FirstError()
        let team = try ThreadTeam(workers: threads)
        let tasks = try ThreadTeam.Tasks(lists: 1, team: team)
        team.runAll { _ in
            tasks.work(list: 0, length: ordered.count) { index in
                let job = ordered[index]
                guard !failure.hasOccurred else { return }
                do { try job.run(filling) } catch { failure.record(error) }
            }
        }
        try failure.rethrow()
    }
}

/// Where the weights of a layer are in the network's memory.
struct WeightRegion: Sendable {
    /// Bytes from the start.
    var offset = 0
}

/// Weights in a network's memory, which outlives every plan: read-only once frozen.
struct Weights: @unchecked Sendable {
    let address: UnsafeRawPointer

    var floats: UnsafePointer<Float> { address.assumingMemoryBound(to: Float.self) }
}

/// The first error of several threads.
private final class FirstError: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    var hasOccurred: Bool { error.withLock { $0 != nil } }

    func record(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }

    func rethrow() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}

extension TensorSource {
    /// Copies a parameter to memory that has room for it.
    func read(_ parameter: Parameter, into destination: UnsafeMutablePointer<Float>) throws {
        try read(parameter.name, into: UnsafeMutableBufferPointer(start: destination, count: parameter.count))
    }

    /// A parameter as an array.
    func values(_ parameter: Parameter) throws -> [Float] {
        try [Float](count: parameter.count) { try read(parameter.name, into: $0) }
    }
}
