import CETNetGraph
import CETNetOperators

/// Runs a frozen network. Owns its memory and its threads; one run at a time. Not `Sendable`.
///
/// After the first run of a batch at an image size, further runs of the same kind allocate nothing, also when a few
/// sizes take turns.
package final class Session {
    package let network: FrozenNetwork
    private let team: ThreadTeam
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

        var scratchBase: Int { arenas * plan.arenaCount }
    }

    /// - Parameter threads: workers, the calling thread included; at least 1.
    package init(network: FrozenNetwork, threads: Int) {
        self.network = network
        team = ThreadTeam(workers: max(1, threads))
    }

    package var threads: Int { team.workers }

    /// Prepares for batches of images of a size, so that the following runs of this kind allocate nothing.
    package func prepare(size: ImageSize, batch: Int) {
        let arenas = batch >= threads ? threads : 1
        let known = recent.firstIndex { $0.size == size }.map { recent.remove(at: $0) }
        if let known, known.arenas >= arenas {
            recent.append(known)
            return
        }
        let plan = known?.plan ?? PlanBuilder.build(network, size: size, threads: threads)
        if recent.count == Self.keptSizes { recent.removeFirst() }
        recent.append(
            Prepared(
                plan: plan, size: size, arenas: arenas,
                // A line apart, so that no two workers write to the same one.
                scratchStride: (plan.scratchCount + 15) / 16 * 16 + 32,
                // Fewer images than workers are computed together in one run.
                tasks: ThreadTeam.Tasks(lists: 1 + (threads - 1) * plan.entries.count, team: team)))
        let needed = recent.map { $0.scratchBase + threads * $0.scratchStride }.max()!
        if memory?.count != needed {
            memory = nil
            memory = HugePageMemory(count: needed)
        }
    }

    /// Runs `batch` images.
    ///
    /// With as many images as workers each worker computes images of its own from end to end; images left over, and
    /// smaller batches, are computed by all workers together. Both ways compute the same tasks, so the results are the
    /// same bit for bit.
    /// - Parameters:
    ///   - input: float32 (batch, 3, height, width), normalised.
    ///   - logits: room for float32 (batch, labels).
    ///   - features: `nil`, or for each stage room for float32 (batch, channels, height, width), see
    ///     ``featureShapes(size:)``.
    package func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: UnsafePointer<UnsafeMutablePointer<Float>>? = nil
    ) {
        run(input: input, batch: batch, size: size, logits: logits, features: features, record: nil)
    }

    private func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: UnsafePointer<UnsafeMutablePointer<Float>>?, record: ((Int, UInt64) -> Void)?
    ) {
        prepare(size: size, batch: batch)
        let prepared = recent.last!
        var run = Run(
            prepared: prepared, memory: memory!.base, threads: threads, input: input, batch: batch, logits: logits,
            features: features,
            imageCount: 3 * size.area, labels: prepared.plan.graph.shape(of: prepared.plan.graph.logits).channels,
            apart: prepared.arenas > 1 ? batch / threads * threads : threads == 1 ? batch : 0, record: record)
        prepared.tasks.reset()
        // By address rather than in a closure, which would be allocated for every run.
        withUnsafeMutablePointer(to: &run) { run in
            team.run(context: run) { run, worker in
                run!.assumingMemoryBound(to: Run.self).pointee.work(worker: Int(worker))
            }
        }
    }

    /// Does what ``run(input:batch:size:logits:features:)`` does, with a clock.
    /// - Parameter record: called on the calling thread after each step of each image that it works on, with the
    ///   step's index and its nanoseconds. Workers that compute images of their own do the same steps at the same
    ///   time.
    package func profile(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        record: @escaping (Int, UInt64) -> Void
    ) {
        run(input: input, batch: batch, size: size, logits: logits, features: nil, record: record)
    }

    /// The steps of the plan at an image size: their names and the graph nodes that they compute.
    package func steps(size: ImageSize) -> [(name: String, nodes: [Int])] {
        prepare(size: size, batch: 1)
        return recent.last!.plan.entries.map { ($0.name, $0.nodes) }
    }

    /// The shapes of the stages' feature maps at an image size.
    package func featureShapes(size: ImageSize) -> [TensorShape] {
        let graph = network.graph(size: size)
        return graph.features.map { graph.shape(of: $0).map }
    }

    /// Bytes of activations and scratch held for the sizes last run.
    package var arenaBytes: Int { memory?.bytes ?? 0 }

    /// One run's pointers, as the workers see them.
    private struct Run {
        let prepared: Prepared
        let memory: UnsafeMutablePointer<Float>
        let threads: Int
        let input: UnsafePointer<Float>
        let batch: Int
        let logits: UnsafeMutablePointer<Float>
        let features: UnsafePointer<UnsafeMutablePointer<Float>>?
        let imageCount: Int
        let labels: Int
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
                arena: memory + arena * prepared.plan.arenaCount,
                scratch: memory + prepared.scratchBase + worker * prepared.scratchStride,
                image: input + image * imageCount, logits: logits + image * labels, features: features,
                imageIndex: image)
        }

        /// One worker computes a whole image in its own arena.
        private func alone(image: Int, worker: Int, record: ((Int, UInt64) -> Void)?) {
            let context = context(image: image, worker: worker, arena: worker)
            var clock = record == nil ? 0 : Clock.nanoseconds
            for (index, entry) in prepared.plan.entries.enumerated() {
                for task in 0..<entry.step.taskCount { entry.step.run(task: task, context) }
                if let record { Self.note(index, &clock, record) }
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
                if let record { Self.note(index, &clock, record) }
            }
        }

        private static func note(_ index: Int, _ clock: inout UInt64, _ record: (Int, UInt64) -> Void) {
            let now = Clock.nanoseconds
            record(index, now - clock)
            clock = now
        }
    }
}
