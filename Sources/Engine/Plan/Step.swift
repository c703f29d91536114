import CETNetGraph
import CETNetKernels

/// What a task of a step works on: one image's part of the memory, and one worker's scratch.
struct TaskContext {
    let kernels: KernelSet
    /// Activations of the image being computed.
    let arena: UnsafeMutableRawPointer
    /// Memory of this worker alone, as large as the plan's largest demand.
    let scratch: UnsafeMutableRawPointer
    /// The graph's inputs, each (batch, channels, height, width).
    let inputs: UnsafePointer<UnsafePointer<Float>>
    /// Where the graph's outputs go, each (batch, channels, height, width); `nil` for those that nobody wants.
    let outputs: UnsafePointer<UnsafeMutablePointer<Float>?>
    /// Index of the image in the batch.
    let imageIndex: Int

    var scratchFloats: UnsafeMutablePointer<Float> { scratch.assumingMemoryBound(to: Float.self) }
}

/// One step of a plan: tasks that may run in any order and at the same time, after all tasks of the step before.
///
/// What a task computes for an element does not depend on how the step is cut into tasks.
protocol Step: Sendable {
    /// Number of tasks for one image.
    var taskCount: Int { get }
    /// Bytes of scratch that a task needs. None by default.
    var scratchBytes: Int { get }
    /// Multiply-adds of convolutions, linear layers and attention for one image where they are not those of the graph's
    /// nodes that the step computes. `nil` by default.
    var multiplyAdds: Int? { get }
    func run(task: Int, _ context: TaskContext)
}

extension Step {
    var scratchBytes: Int { 0 }
    var multiplyAdds: Int? { nil }
}

/// Where a value lives in the arena of one image: `offset` bytes from the start, tokens `stride` floats apart.
struct Location: Sendable {
    let offset: Int
    let shape: TensorShape
    /// `shape.channels`, but for channels of a wider map and for rows that are longer than they need to be.
    let stride: Int

    func pointer(_ context: TaskContext) -> UnsafeMutablePointer<Float> {
        (context.arena + offset).assumingMemoryBound(to: Float.self)
    }

    func rows(_ context: TaskContext, from first: Int = 0) -> Rows {
        Rows(pointer(context) + first * stride, stride: stride)
    }
}
