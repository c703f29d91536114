import CETNetEngine
import CETNetGraph

/// What a classifier makes of the outputs of its network, which are known by name: logits, and the maps of its stages.
extension FrozenNetwork {
    static let logitsName = "logits"

    /// The names of the stages' maps, in order.
    var featureNames: [String] { outputNames.filter { $0 != Self.logitsName } }

    /// (channels, height, width) of each stage's map for one image of a size.
    func featureShapes(size: ImageSize) -> [[Int]] {
        let graph = graph(size: size)
        return graph.outputs.filter { $0.name != Self.logitsName }.map {
            let shape = graph.shape(of: $0.value)
            return [shape.channels, shape.height, shape.width]
        }
    }
}

extension CETNetEngine.Session {
    /// Runs a classifier.
    /// - Parameters:
    ///   - input: float32 (batch, channels, height, width), normalised.
    ///   - logits: room for float32 (batch, labels).
    ///   - features: `nil`, or for each stage room for float32 (batch, channels, height, width).
    ///   - record: see the engine's session.
    func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: UnsafePointer<UnsafeMutablePointer<Float>>? = nil, record: ((Int, UInt64) -> Void)? = nil
    ) throws(ModelError) {
        let names = network.outputNames
        let error: OutOfMemoryError? = withUnsafeTemporaryAllocation(
            of: UnsafeMutablePointer<Float>?.self, capacity: names.count
        ) { outputs in
            var stage = 0
            for (index, name) in names.enumerated() {
                if name == FrozenNetwork.logitsName {
                    outputs.initializeElement(at: index, to: logits)
                } else {
                    outputs.initializeElement(at: index, to: features.map { $0[stage] })
                    stage += 1
                }
            }
            return withUnsafePointer(to: input) { inputs in
                do throws(OutOfMemoryError) {
                    try run(
                        batch: batch, size: size, inputs: inputs, outputs: UnsafePointer(outputs.baseAddress!),
                        record: record)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let error { throw .outOfMemory(bytes: error.bytes) }
    }
}
