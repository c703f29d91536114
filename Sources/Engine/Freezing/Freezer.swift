import CETNetCheckpoint
import CETNetGraph
import CETNetOperators
import Foundation

/// Turns the tensors of a model into frozen weights: folds, transposes and packs them, several layers at a time.
///
/// Freezing goes in two rounds. The first walks the fused operators, reserves memory for each and notes a job; the
/// second allocates one block and runs the jobs on all threads.
struct Freezer {
    let kernels: KernelSet
    let layout: MatrixWeights.Layout
    private var reserved = 0
    private var jobs: [Job] = []
    private var weights = FrozenWeights()
    private var entries: [(UnsafeMutablePointer<Float>, inout FrozenWeights) -> Void] = []

    /// Fills the memory reserved for one layer. Arguments: source of tensors, start of all memory.
    private struct Job: Sendable {
        let cost: Int
        let run: @Sendable (any TensorSource, WeightMemory) throws -> Void
    }

    /// The start of the weight memory, as jobs see it.
    struct WeightMemory: @unchecked Sendable {
        let base: UnsafeMutablePointer<Float>
    }

    init(kernels: KernelSet, layout: MatrixWeights.Layout) {
        self.kernels = kernels
        self.layout = layout
    }

    /// Freezes the weights of `nodes`.
    /// - Throws: what `source` throws for a tensor that is missing or unreadable.
    static func freeze(
        _ nodes: [FusedNode], source: any TensorSource, kernels: KernelSet, layout: MatrixWeights.Layout, threads: Int
    ) throws -> (weights: FrozenWeights, memory: HugePageMemory) {
        var freezer = Freezer(kernels: kernels, layout: layout)
        for node in nodes { freezer.plan(node.operation) }
        let memory = HugePageMemory(count: freezer.reserved)
        try freezer.runJobs(source: source, memory: WeightMemory(base: memory.base), threads: threads)
        for entry in freezer.entries { entry(memory.base, &freezer.weights) }
        return (freezer.weights, memory)
    }

    // MARK: First round

    /// Reserves room for `count` floats and returns its offset, aligned to a cache line.
    mutating func reserve(_ count: Int) -> Int {
        let offset = reserved
        reserved += (count + 15) / 16 * 16
        return offset
    }

    /// Adds a job of the second round.
    mutating func addJob(cost: Int, _ run: @escaping @Sendable (any TensorSource, WeightMemory) throws -> Void) {
        jobs.append(Job(cost: cost, run: run))
    }

    /// Adds what notes, in the order of planning, where a layer's frozen weights are.
    mutating func addEntry(_ entry: @escaping (UnsafeMutablePointer<Float>, inout FrozenWeights) -> Void) {
        entries.append(entry)
    }

    private mutating func plan(_ operation: FusedOperator) {
        switch operation {
        case .matrix(let layer): plan(layer)
        case .mlp(let layer):
            plan(layer.first)
            plan(layer.second)
        case .depthwise(let layer): plan(layer)
        case .layerNorm(let norm, let name): plan(norm, name: name)
        case .windowAttention(let attention, let name): plan(attention, name: name)
        case .crossShapedAttention(let attention, let name): plan(attention, name: name)
        case .stageTokens(let layer): plan(layer)
        case .globalAttention, .takeClassToken: break
        case .image, .pointwise, .meanOverTokens, .concatenation, .channelSlice, .channelShuffle: break
        }
    }

    private mutating func plan(_ layer: MatrixLayer) {
        let (columns, depth) = (layer.outputChannels, layer.depth)
        let (layout, kernels) = (layout, kernels)
        let offset = reserve(
            MatrixWeights.storageCount(layout: layout, columns: columns, depth: depth, kernels: kernels))
        jobs.append(
            Job(cost: columns * depth) { source, memory in
                try source.withMatrix(layer) { values in
                    let folding = try Folding(layer, weights: values, source: source)
                    MatrixWeights.prepare(
                        layout: layout, columns: columns, depth: depth, weights: values.baseAddress!,
                        columnScale: folding.columnScale, depthScale: folding.depthScale, bias: folding.bias,
                        storage: memory.base + offset, kernels: kernels)
                }
            })
        entries.append { base, weights in
            weights.matrices[layer.name] = MatrixWeights(
                layout: layout, columns: columns, depth: depth, storage: base + offset)
        }
    }

    private mutating func plan(_ layer: DepthwiseLayer) {
        let convolution = layer.convolution
        let (channels, taps) = (convolution.outputChannels, convolution.kernel * convolution.kernel)
        let weightsAt = reserve(channels * taps)
        let biasAt = reserve(channels)
        jobs.append(
            Job(cost: channels * taps) { source, memory in
                let folding = try Folding(layer, source: source)
                var values = try source.values(convolution.weight)
                if let scale = folding.columnScale {
                    for index in values.indices { values[index] *= scale[index / taps] }
                }
                // (channels, taps) to (taps, channels).
                Layout.planesToPositions(
                    values, tokens: taps, channels: channels, positions: 0..<taps, into: memory.base + weightsAt)
                (memory.base + biasAt).update(from: folding.bias, count: channels)
            })
        entries.append { base, weights in
            weights.depthwise[layer.name] = DepthwiseWeights(weights: base + weightsAt, bias: base + biasAt)
        }
    }

    mutating func plan(_ norm: LayerNorm, name: String) {
        let weightAt = reserve(norm.channels)
        let biasAt = reserve(norm.channels)
        jobs.append(
            Job(cost: norm.channels) { source, memory in
                try source.read(norm.weight, into: memory.base + weightAt)
                try source.read(norm.bias, into: memory.base + biasAt)
            })
        entries.append { base, weights in
            weights.norms[name] = NormWeights(weight: base + weightAt, bias: base + biasAt)
        }
    }

    private mutating func plan(_ attention: WindowAttention, name: String) {
        let tables = AttentionTables(attention, kernels: kernels)
        let biasAt = reserve(tables.biasCount)
        let masksAt = attention.shift > 0 ? reserve(tables.masksCount) : nil
        let paddedAt = reserve(3 * attention.channels)
        jobs.append(
            Job(cost: tables.biasCount) { source, memory in
                try tables.fillBias(source: source, into: memory.base + biasAt)
                if let masksAt { tables.fillMasks(into: memory.base + masksAt) }
                try tables.fillPaddedRow(source: source, into: memory.base + paddedAt)
            })
        entries.append { base, weights in
            weights.attentions[name] = AttentionWeights(
                bias: base + biasAt, masks: masksAt.map { UnsafePointer(base + $0) }, paddedRow: base + paddedAt,
                scoreStride: tables.scoreStride)
        }
    }

    // MARK: Second round

    /// Weights of a layer from which on it is worth giving the file's pages back: 1 MiB.
    private static let releaseCost = 1 << 18

    private func runJobs(source: any TensorSource, memory: WeightMemory, threads: Int) throws {
        // Large ones first, so that no thread is left with the largest at the end.
        let ordered = jobs.sorted { $0.cost > $1.cost }
        let failure = FirstError()
        let team = ThreadTeam(workers: threads)
        let tasks = ThreadTeam.Tasks(lists: 1, team: team)
        team.runAll { _ in
            tasks.work(list: 0, length: ordered.count) { index in
                let job = ordered[index]
                guard !failure.hasOccurred else { return }
                do { try job.run(source, memory) } catch { failure.record(error) }
                // What has been packed is not read again: without this the file and the packed weights would be in
                // memory at the same time.
                if job.cost >= Self.releaseCost { (source as? SafetensorsFile)?.releaseMappedPages() }
            }
        }
        try failure.rethrow()
    }
}

/// The first error of several threads.
private final class FirstError: @unchecked Sendable {
    private let lock = NSLock()
    private var error: (any Error)?

    var hasOccurred: Bool { lock.withLock { error != nil } }

    func record(_ error: any Error) { lock.withLock { self.error = self.error ?? error } }

    func rethrow() throws {
        if let error = lock.withLock({ error }) { throw error }
    }
}

extension TensorSource {
    /// Copies a parameter to memory that has room for it.
    func read(_ parameter: Parameter, into destination: UnsafeMutablePointer<Float>) throws {
        try read(parameter.name, into: UnsafeMutableBufferPointer(start: destination, count: parameter.count))
    }

    /// Lends the weights of a layer as a matrix, outputs × depth; for a convolution the depth runs over (filter row,
    /// filter column, channel), and so it does for 2×2 neighbours read side by side.
    func withMatrix(_ layer: MatrixLayer, _ body: (UnsafeBufferPointer<Float>) throws -> Void) throws {
        switch layer.kind {
        case .linear(let linear) where layer.gathersPatches:
            try withValues(of: linear.weight.name) { original in
                let moved = PatchOrder.byRows(original, channels: linear.inputChannels / 4)
                try moved.withUnsafeBufferPointer(body)
            }
        case .linear(let linear):
            try withValues(of: linear.weight.name, body)
        case .convolution(let convolution):
            try withValues(of: convolution.weight.name) { original in
                let taps = convolution.kernel * convolution.kernel
                guard taps > 1 else { return try body(original) }
                let depth = layer.depth
                var moved = [Float](repeating: 0, count: original.count)
                for output in 0..<convolution.outputChannels {
                    moved.withUnsafeMutableBufferPointer {
                        Layout.planesToPositions(
                            original.baseAddress! + output * depth, tokens: taps, channels: depth / taps,
                            positions: 0..<taps, into: $0.baseAddress! + output * depth)
                    }
                }
                try moved.withUnsafeBufferPointer(body)
            }
        }
    }

    /// A parameter as an array.
    func values(_ parameter: Parameter) throws -> [Float] {
        var values = [Float](repeating: 0, count: parameter.count)
        try values.withUnsafeMutableBufferPointer { try read(parameter.name, into: $0) }
        return values
    }
}
