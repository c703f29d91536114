import CETNetGraph
import CETNetOperators

/// Attention inside shifted windows, some heads of one window per task.
///
/// Padding, cyclic shift, partition into windows and their inverses are address arithmetic: each token of a window is
/// the address of its row, and a padded token's address is that of the projection's bias.
struct WindowAttentionStep: Step {
    let attention: WindowAttention
    let weights: AttentionWeights
    let layout: MatrixWeights.Layout
    let input: Location
    let output: Location
    let kernels: KernelSet
    private let vertical: WindowAxis
    private let horizontal: WindowAxis
    private let headScratch: Int
    private let headGroups: Partition

    init(
        attention: WindowAttention, weights: AttentionWeights, layout: MatrixWeights.Layout, input: Location,
        output: Location, kernels: KernelSet
    ) {
        self.attention = attention
        self.weights = weights
        self.layout = layout
        self.input = input
        self.output = output
        self.kernels = kernels
        vertical = WindowAxis(length: input.shape.height, window: attention.windowSize, shift: attention.shift)
        horizontal = WindowAxis(length: input.shape.width, window: attention.windowSize, shift: attention.shift)
        headScratch = WindowAttentionHead.scratchCount(
            tokens: attention.windowSize * attention.windowSize, headDimension: attention.headDimension,
            kernels: kernels)
        headGroups = Partition(heads: attention.heads, windows: vertical.windows * horizontal.windows)
    }

    var taskCount: Int { vertical.windows * horizontal.windows * headGroups.parts }

    private var tokens: Int { attention.windowSize * attention.windowSize }

    var scratchCount: Int {
        // Two pointers per token, as many bytes as four floats, in front of the scratch of a head.
        4 * tokens + 16 + headScratch
    }

    func run(task: Int, _ context: TaskContext) {
        let (window, headGroup) = (task / headGroups.parts, task % headGroups.parts)
        let (windowRow, windowColumn) = (window / horizontal.windows, window % horizontal.windows)
        let raw = UnsafeMutableRawPointer(context.scratch)
        let rows = raw.bindMemory(to: UnsafePointer<Float>?.self, capacity: tokens)
        let outputs = (raw + tokens * MemoryLayout<UnsafePointer<Float>?>.stride)
            .bindMemory(to: UnsafeMutablePointer<Float>?.self, capacity: tokens)
        let scratch = context.scratch + (4 * tokens + 15) / 16 * 16
        let x = input.pointer(context)
        let y = output.pointer(context)
        let w = attention.windowSize
        for i in 0..<w {
            let row = vertical.position(windowRow * w + i)
            for j in 0..<w {
                let column = horizontal.position(windowColumn * w + j)
                let inside = row < vertical.length && column < horizontal.length
                let token = row * horizontal.length + column
                rows[i * w + j] = inside ? UnsafePointer(x + token * input.stride) : weights.paddedRow
                outputs[i * w + j] = inside ? y + token * output.stride : nil
            }
        }
        let mask = mask(bottom: vertical.isDivided(windowRow), right: horizontal.isDivided(windowColumn))
        for head in headGroups[headGroup] {
            let channel = head * attention.headDimension
            WindowAttentionHead(
                tokens: tokens, headDimension: attention.headDimension, scoreStride: weights.scoreStride, rows: rows,
                queryOffset: channel, keyOffset: attention.channels + channel,
                valueOffset: 2 * attention.channels + channel,
                bias: weights.bias + head * tokens * weights.scoreStride, mask: mask, outputs: outputs,
                outputOffset: channel
            ).run(scratch: scratch, layout: layout, kernels: kernels)
        }
    }

    private func mask(bottom: Bool, right: Bool) -> UnsafePointer<Float>? {
        guard let masks = weights.masks, bottom || right else { return nil }
        let index = bottom && right ? 2 : right ? 1 : 0
        return masks + index * tokens * weights.scoreStride
    }
}
