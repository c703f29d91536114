/// Multi-head attention of every query to every key, between the projections of its inputs and the output projection
/// (Vaswani et al., arXiv 1706.03762, section 3.2): what PVT (arXiv 2102.12122) and CvT (arXiv 2103.15808) do, with
/// fewer keys than queries.
///
/// Inputs: queries, `channels` wide; then keys and values, packed into one value `2 · channels` wide, or as two. Heads
/// are contiguous inside each. A class token is a token like all others. Output: like the queries.
public struct GlobalAttention: Sendable, Hashable {
    public var channels: Int
    public var heads: Int
    /// What scores are multiplied by.
    public var scale: Float

    public init(channels: Int, heads: Int, scale: Float) {
        self.channels = channels
        self.heads = heads
        self.scale = scale
    }

    /// Channels of one head.
    public var headDimension: Int { channels / heads }

    /// How wide each of `count` inputs is; empty if it cannot have as many.
    func inputChannels(count: Int) -> [Int] {
        switch count {
        case 2: [channels, 2 * channels]
        case 3: [channels, channels, channels]
        default: []
        }
    }
}
