import CETNetGraph

/// Runs a frozen network. Owns its memory and its threads; one run at a time. Not `Sendable`.
package final class Session {
    package let threads: Int

    package init(network: FrozenNetwork, threads: Int) {
        fatalError()
    }

    /// Prepares for images of a size, so that the following runs at that size allocate nothing.
    package func prepare(size: ImageSize, batch: Int) {}

    /// Runs `batch` images.
    /// - Parameters:
    ///   - input: float32 (batch, 3, height, width), normalised.
    ///   - logits: room for float32 (batch, labels).
    ///   - features: `nil`, or for each stage room for float32 (batch, channels, height, width) of ``featureShapes(size:)``.
    package func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: [UnsafeMutablePointer<Float>]? = nil
    ) {
    }

    /// The shapes of the stages' feature maps at an image size.
    package func featureShapes(size: ImageSize) -> [TensorShape] { [] }

    /// Bytes of the arena that the last prepared plan uses.
    package var arenaBytes: Int { 0 }
}
