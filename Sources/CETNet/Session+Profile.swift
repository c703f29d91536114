import CETNetEngine
import CETNetGraph
import CETNetMemory

extension Session {
    /// One step of a plan: what the engine computes in one go, usually several operators of the model.
    package struct Step: Sendable {
        /// Path of its first layer, or what it copies.
        package let name: String
        /// The operators that it computes, in order, in the field's names; empty for a copy.
        package let operators: [String]
        /// Those of the operators that multiply and add, each once; else the first operator, or `copy`.
        package let kind: String
        /// Part of the architecture, in the paper's words; `copy` for a copy.
        package let part: String
        /// Stage 0 to 3; `nil` outside of the stages and for a copy.
        package let stage: Int?
        /// (height, width, channels) of its result for one image; `nil` for a copy.
        package let outputShape: [Int]?
        /// For one image, as the model's definition counts them.
        package let multiplyAdds: Int
        /// For one image, as they are computed: fewer where Winograd's way or smaller maps save some.
        package let executedMultiplyAdds: Int
    }

    /// The steps of a run at an image size, in order.
    /// - Throws: ``ModelError/imageSize(_:allowed:)``.
    package func steps(imageSize: ImageSize) throws(ModelError) -> [Step] {
        try InputLimits.check(imageSize)
        let graph = model.frozen.graph(size: imageSize)
        let steps = try passOnOutOfMemory { () throws(OutOfMemoryError) in try session.steps(size: imageSize) }
        return steps.map { step in
            let nodes = step.nodes.map { graph.nodes[$0] }
            var multiplying: [String] = []
            for node in nodes where node.multiplyAdds > 0 && !multiplying.contains(node.operator.name) {
                multiplying.append(node.operator.name)
            }
            if multiplying.isEmpty { multiplying = [nodes.first?.operator.name ?? "copy"] }
            return Step(
                name: step.name, operators: nodes.map(\.operator.name), kind: multiplying.joined(separator: " + "),
                part: nodes.first?.part.rawValue ?? "copy", stage: nodes.first?.stage,
                outputShape: nodes.last { !$0.operator.isView }.map {
                    [$0.shape.height, $0.shape.width, $0.shape.channels]
                },
                multiplyAdds: nodes.reduce(0) { $0 + $1.multiplyAdds }, executedMultiplyAdds: step.multiplyAdds)
        }
    }

    /// Does what ``run(input:batch:imageSize:logits:)`` does, with a clock.
    /// - Parameter record: called on the calling thread after each step of each image that this thread works on, with
    ///   the step's index and its nanoseconds. Threads that compute images of their own do the same steps at the same
    ///   time.
    /// - Throws: what ``run(input:batch:imageSize:logits:)`` throws.
    package func profile(
        input: UnsafeBufferPointer<Float>, batch: Int, imageSize: ImageSize,
        logits: UnsafeMutableBufferPointer<Float>, record: @escaping (Int, UInt64) -> Void
    ) throws(ModelError) {
        try check(input: input, batch: batch, imageSize: imageSize, logits: logits)
        try session.run(
            input: input.baseAddress!, batch: batch, size: imageSize, logits: logits.baseAddress!, record: record)
    }
}
