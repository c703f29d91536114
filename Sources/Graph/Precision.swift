/// What linear layers and dense convolutions are computed in. Everything else is float32: depthwise convolutions,
/// LayerNorm, attention's products, activations, sums of residual branches, pooling.
///
/// In each precision the result for an image is the same bit for bit whatever the batch, its neighbours and the number
/// of threads. Processors without the instructions compute the same numbers, more slowly.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    /// 32-bit floating point, as checkpoints have it.
    case float32
    /// Weights and activations rounded to 16 bits of which 8 are the exponent, sums in float32: half the memory.
    case bfloat16
    /// Linear layers in 8-bit integers, their weights scaled per output and their activations per token, as they come;
    /// dense convolutions in bfloat16. A quarter of the memory.
    case int8
}
