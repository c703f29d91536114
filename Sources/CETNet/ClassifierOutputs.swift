import CETNetEngine
import CETNetGraph
import CETNetMemory

/// What a model makes of the outputs of its network, which are known by name: logits, and the maps of its stages.
extension FrozenNetwork {
    static let logitsName = "logits"
    static let classTokenName = "class_token"

    /// The names of the stages' maps, in order.
    var featureNames: [String] { outputNames.filter { $0 != Self.logitsName && $0 != Self.classTokenName } }

    /// The outputs for one image of a size: (labels) for a classifier's logits, else (channels, height, width).
    func outputs(size: ImageSize) -> [(name: String, shape: [Int])] {
        let graph = graph(size: size)
        return graph.outputs.filter { !$0.isClassToken }.map {
            let shape = graph.shape(of: $0.value)
            // One position is what a classifier says of an image; a map has more at every size.
            let isVector = $0.name == Self.logitsName && shape.size.area == 1
            return ($0.name, [shape.channels] + (isVector ? [] : [shape.height, shape.width]))
        }
    }

    /// (channels, height, width) of each stage's map for one image of a size.
    func featureShapes(size: ImageSize) -> [[Int]] {
        outputs(size: size).filter { $0.name != Self.logitsName }.map(\.shape)
    }
}

extension CETNetEngine.Session {
    /// Runs a model.
    /// - Parameters:
    ///   - input: float32 (batch, channels, height, width), normalised.
    ///   - logits: room for float32 (batch, labels), of a segmentation model (batch, labels, height/4, width/4).
    ///   - features: `nil`, or for each stage room for float32 (batch, channels, height, width).
    ///   - record: see the engine's session.
    func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, logits: UnsafeMutablePointer<Float>,
        features: UnsafePointer<UnsafeMutablePointer<Float>>? = nil, record: ((Int, UInt64) -> Void)? = nil
    ) throws(ModelError) {
        let names = network.outputNames
        let result = withUnsafeTemporaryAllocation(
            of: UnsafeMutablePointer<Float>?.self, capacity: names.count
        ) { outputs in
            var stage = 0
            for (index, name) in names.enumerated() {
                switch name {
                case FrozenNetwork.logitsName:
                    outputs.initializeElement(at: index, to: logits)
                case FrozenNetwork.classTokenName:
                    outputs.initializeElement(at: index, to: nil)
                default:
                    outputs.initializeElement(at: index, to: features.map { $0[stage] })
                    stage += 1
                }
            }
            return withUnsafePointer(to: input) { inputs in
                Result { () throws(OutOfMemoryError) in
                    try run(
                        batch: batch, size: size, inputs: inputs, outputs: UnsafePointer(outputs.baseAddress!),
                        record: record)
                }
            }
        }
        try passOnOutOfMemory { () throws(OutOfMemoryError) in try result.get() }
    }

    /// Runs a network for some of its outputs.
    /// - Parameters:
    ///   - input: float32 (batch, channels, height, width), normalised.
    ///   - outputs: by name, room for float32 (batch, channels, height, width).
    func run(
        input: UnsafePointer<Float>, batch: Int, size: ImageSize, outputs: [String: UnsafeMutablePointer<Float>]
    ) throws(ModelError) {
        let places = network.outputNames.map { outputs[$0] }
        let result = withUnsafePointer(to: input) { inputs in
            places.withUnsafeBufferPointer { places in
                Result { () throws(OutOfMemoryError) in
                    try run(batch: batch, size: size, inputs: inputs, outputs: places.baseAddress!)
                }
            }
        }
        try passOnOutOfMemory { () throws(OutOfMemoryError) in try result.get() }
    }
}
