import CETNetPreprocessing

// The same calls for `async` code. They do their work on threads of the model, so that Swift's cooperative pool is
// never blocked. A task that is cancelled before its work has begun gets `CancellationError` and the work is not done;
// work that has begun is finished.

extension Model {
    /// Classifies an image in memory; see the blocking form of the same name.
    public func classify(_ image: PixelBuffer, top count: Int = 5) async throws -> [Prediction] {
        try await inBackground { try self.classify(image, top: count) }
    }

    /// Classifies images in memory, together; see the blocking form of the same name.
    public func classify(_ images: [PixelBuffer], top count: Int = 5) async throws -> [[Prediction]] {
        try await inBackground { try self.classify(images, top: count) }
    }

    /// Classifies normalised images; see the blocking form of the same name.
    public func classify(_ batch: Tensor, top count: Int = 5) async throws -> [[Prediction]] {
        try await inBackground { try self.classify(batch, top: count) }
    }

    /// The logits of normalised images; see the blocking form of the same name.
    public func logits(_ batch: Tensor) async throws -> Tensor {
        try await inBackground { try self.logits(batch) }
    }

    /// The feature maps of the stages; see the blocking form of the same name.
    public func features(_ batch: Tensor) async throws -> [Tensor] {
        try await inBackground { try self.features(batch) }
    }

    /// Does blocking work on a thread of the model's own.
    /// - Throws: `CancellationError` if the task is cancelled before the work has begun; else what `work` throws.
    package func inBackground<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await background.perform(work)
    }
}
