import CETNetGraph
import CETNetKernels
import CETNetMemory

/// Runs a frozen network. Owns its memory and its threads; one run at a time. Not `Sendable`.
///
/// After the first run of a batch at an image size, further runs of the same kind allocate nothing, also when a few
/// sizes take turns.
package final class Session {
    package let network: FrozenNetwork
    private let team: ThreadTeam
    /// For the calls of the workers, where OpenBLAS multiplies.
    private let buffers: OpenBLASBuffers?
    /// What is kept for the sizes last run, the last one at the end.
    private var recent: [Prepared] = []
    /// As much as the largest of them needs; they use it one at a time.
    private var memory: HugePageMemory?

    /// Sizes that are kept. Plans are small, but the memory is that of the largest.
    private static let keptSizes = 4

    /// What is kept from run to run of an image size.
    private struct Prepared {
        let plan: Plan
        let size: ImageSize
        /// Images that can be computed at the same time, each in an arena of its own.
        let arenas: Int
        let scratchStride: Int
        let tasks: ThreadTeam.Tasks

        var scratchBase: Int { arenas * plan.arenaBytes }
    }

    /// - Parameters:
    ///   - threads: workers, the calling thread included; at least 1.
    ///   - sharesProcessors: whether a run uses fewer where other sessions of the process compute.
    package init(
        network: FrozenNetwork, threads: Int, sharesProcessors: Bool = true
    ) throws(OutOfMemoryError) {
        self.network = network
        team = try ThreadTeam(workers: max(1, threads), sharesProcessors: sharesProcessors)
        buffers = try network.format == .rowMajor ? OpenBLASBuffers(team.workers) : nil
    }

    package var threads: Int { team.workers }

    /// Prepares for batches of images of a size, so that the following runs of this kind allocate nothing.
    ///
    /// Where there is no memory for it, the session is as it was before.
    package func prepare(size: ImageSize, batch: Int) throws(OutOfMemoryError) {
        let arenas = batch >= threads ? threads : 1
        let index = recent.firstIndex { $0.size == size }
        if let index, recent[index].arenas >= arenas {
            if index < recent.count - 1 { recent.append(recent.remove(at: index)) }
            return
        }
        let plan =
            if let index { recent[index].plan } else {
                try PlanBuilder.build(network, size: size, threads: threads)
            }
        var kept = recent
        if let index { kept.remove(at: index) } else if kept.count == Self.keptSizes { kept.removeFirst() }
        kept.append(
            Prepared(
                plan: plan, size: size, arenas: arenas,
                // A line apart, so that no two workers write to the same one.
                scratchStride: CacheLine.bytes(plan.scratchBytes) + 2 * CacheLine.bytes,
                // Fewer images than workers are computed together in one run.
                tasks: try ThreadTeam.Tasks(lists: 1 + (threads - 1) * plan.entries.count, team: team)))
        let needed = kept.map { $0.scratchBase + threads * $0.scratchStride }.max()!
        if memory?.bytes != needed { memory = try HugePageMemory(bytes: needed) }
        recent = kept
    }

    /// Runs `batch` images.
    ///
    /// With as many images as workers each worker computes images of its own from end to end; images left over, and
    /// smaller batches, are computed by all workers together. Both ways compute the same tasks, so the results are the
    /// same bit for bit.
    /// - Parameters:
    ///   - size: of the images, which the graph's shapes follow from.
    ///   - inputs: those of the graph in order, each float32 (batch, channels, height, width).
    ///   - outputs: for each output of the graph in order room for float32 (batch, channels, height, width), or `nil` if
    ///     it is not wanted.
    package func run(
        batch: Int, size: ImageSize, inputs: UnsafePointer<UnsafePointer<Float>>,
        outputs: UnsafePointer<UnsafeMutablePointer<Float>?>
    ) throws(OutOfMemoryError) {
        try run(batch: batch, size: size, inputs: inputs, outputs: outputs, record: nil)
    }

    /// Does what ``run(batch:size:inputs:outputs:)`` does, with a clock.
    /// - Parameter record: called on the calling thread after each step of each image that it works on, with its
    ///   index among ``steps(size:)`` and its nanoseconds, which may come in several parts. Workers that compute images of their own do the same steps at the same
    ///   time.
    package func run(
        batch: Int, size: ImageSize, inputs: UnsafePointer<UnsafePointer<Float>>,
        outputs: UnsafePointer<UnsafeMutablePointer<Float>?>, record: ((Int, UInt64) -> Void)?
    ) throws(OutOfMemoryError) {
        try prepare(size: size, batch: batch)
        let prepared = recent.last!
        var run = Run(
            kernels: network.kernels, prepared: prepared, memory: memory!.base, threads: threads, inputs: inputs,
            batch: batch, outputs: outputs,
            apart: prepared.arenas > 1 ? batch / threads * threads : threads == 1 ? batch : 0, record: record)
        prepared.tasks.reset()
        // By address rather than in a closure, which would be allocated for every run.
        withUnsafeMutablePointer(to: &run) { run in
            team.run(context: run) { run, worker in
                run!.assumingMemoryBound(to: Run.self).pointee.work(worker: Int(worker))
            }
        }
    }

    /// The steps of the plan at an image size, those of a layer that works band by band as one: their names, the graph
    /// nodes that they compute, and the multiply-adds that they take for one image.
    package func steps(
        size: ImageSize
    ) throws(OutOfMemoryError) -> [(name: String, nodes: [Int], multiplyAdds: Int)] {
        try prepare(size: size, batch: 1)
        var steps: [(name: String, nodes: [Int], multiplyAdds: Int)] = []
        for entry in recent.last!.plan.entries {
            if entry.reported == steps.count { steps.append((entry.name, [], 0)) }
            steps[entry.reported].nodes += entry.nodes
            steps[entry.reported].multiplyAdds += entry.multiplyAdds
        }
        return steps
    }

    /// Bytes of activations and scratch held for the sizes last run.
    package var arenaBytes: Int { memory?.bytes ?? 0 }

    /// One run's pointers, as the workers see them.
    private struct Run {
        let kernels: KernelSet
        let prepared: Prepared
        let memory: UnsafeMutableRawPointer
        let threads: Int
        let inputs: UnsafePointer<UnsafePointer<Float>>
        let batch: Int
        let outputs: UnsafePointer<UnsafeMutablePointer<Float>?>
        /// How many images are computed by one worker each; the others by all together.
        let apart: Int
        /// Called by worker 0 only.
        let record: ((Int, UInt64) -> Void)?

        /// What one worker does.
        func work(worker: Int) {
            let record = worker == 0 ? record : nil
            let steps = prepared.plan.entries.count
            if threads == 1 {
                for image in 0..<batch { alone(image: image, worker: worker, record: record) }
                return
            }
            // List 0 is the images that are computed apart; then come the steps of each image computed together.
            prepared.tasks.work(list: 0, length: apart) { alone(image: $0, worker: worker, record: record) }
            for image in apart..<batch {
                together(image: image, worker: worker, firstList: 1 + (image - apart) * steps, record: record)
            }
        }

        private func context(image: Int, worker: Int, arena: Int) -> TaskContext {
            TaskContext(
                kernels: kernels, arena: memory + arena * prepared.plan.arenaBytes,
                scratch: memory + prepared.scratchBase + worker * prepared.scratchStride, inputs: inputs,
                outputs: outputs, imageIndex: image)
        }

        /// One worker computes a whole image in its own arena.
        private func alone(image: Int, worker: Int, record: ((Int, UInt64) -> Void)?) {
            let context = context(image: image, worker: worker, arena: worker)
            var clock = record == nil ? 0 : Clock.nanoseconds
            for entry in prepared.plan.entries {
                for task in 0..<entry.step.taskCount { entry.step.run(task: task, context) }
                if let record { Self.note(entry.reported, &clock, record) }
            }
        }

        /// All workers compute one image in the first arena; a step begins when all tasks of the one before are done.
        private func together(image: Int, worker: Int, firstList: Int, record: ((Int, UInt64) -> Void)?) {
            let context = context(image: image, worker: worker, arena: 0)
            var clock = record == nil ? 0 : Clock.nanoseconds
            for (index, entry) in prepared.plan.entries.enumerated() {
                prepared.tasks.work(list: firstList + index, length: entry.step.taskCount) {
                    entry.step.run(task: $0, context)
                }
                if let record { Self.note(entry.reported, &clock, record) }
            }
        }

        private static func note(_ index: Int, _ clock: inout UInt64, _ record: (Int, UInt64) -> Void) {
            let now = Clock.nanoseconds
            record(index, now - clock)
            clock = now
        }
    }
}
