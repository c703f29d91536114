import CETNetGraph
import CETNetOperators

/// What a task of a step works on: one image's part of the memory, and one worker's scratch.
struct TaskContext {
    /// Activations of the image being computed.
    let arena: UnsafeMutablePointer<Float>
    /// Memory of this worker alone, as large as the plan's largest demand.
    let scratch: UnsafeMutablePointer<Float>
    /// The image, (3, height, width).
    let image: UnsafePointer<Float>
    /// Where the image's logits go.
    let logits: UnsafeMutablePointer<Float>
    /// Where the image's feature maps go, one per stage; `nil` if nobody wants them.
    let features: UnsafePointer<UnsafeMutablePointer<Float>>?
    /// Index of the image in the batch.
    let imageIndex: Int
}

/// One step of a plan: tasks that may run in any order and at the same time, after all tasks of the step before.
///
/// What a task computes for an element does not depend on how the step is cut into tasks.
protocol Step: Sendable {
    /// Number of tasks for one image.
    var taskCount: Int { get }
    /// Floats of scratch that a task needs.
    var scratchCount: Int { get }
    func run(task: Int, _ context: TaskContext)
}

extension Step {
    var scratchCount: Int { 0 }
}

/// Where a value lives in the arena of one image: `offset` floats from the start, tokens `stride` floats apart.
struct Location: Sendable {
    let offset: Int
    let shape: TensorShape
    /// `shape.channels`, but for channels of a wider map and for rows that are longer than they need to be.
    let stride: Int

    func pointer(_ context: TaskContext) -> UnsafeMutablePointer<Float> { context.arena + offset }

    func rows(_ context: TaskContext, from first: Int = 0) -> Rows {
        Rows(context.arena + offset + first * stride, stride: stride)
    }
}

/// Cuts `count` items into tasks of nearly equal size.
struct Partition: Sendable {
    let count: Int
    let parts: Int

    init(count: Int, parts: Int) {
        self.count = count
        self.parts = max(1, min(parts, count))
    }

    /// The heads that attend in each of some windows, cut so that even few windows make tasks for several threads.
    init(heads: Int, windows: Int) {
        let fewTasks = 16
        self.init(count: heads, parts: (fewTasks + windows - 1) / windows)
    }

    subscript(part: Int) -> Range<Int> { part * count / parts..<(part + 1) * count / parts }

    /// Items in the largest part.
    var largest: Int { (count + parts - 1) / parts }
}
