import CETNetCheckpoint
import CETNetGraph

extension ModelConfiguration {
    /// The unit that convolutional embeddings are made of. A new one is a case here and a file beside this one.
    public enum ConvolutionalEmbeddingUnit: String, Sendable, Hashable, CaseIterable {
        case mbconv
        case pureMB = "pure-mb"
        case resnet
        case seResnet = "se-resnet"
        case dense
        case shuffle
        case ghost

        var definition: ConvolutionalUnit {
            switch self {
            case .mbconv: .mbconv
            case .pureMB: .pureMB
            case .resnet: .resnet
            case .seResnet: .seResnet
            case .dense: .dense
            case .shuffle: .shuffle
            case .ghost: .ghost
            }
        }
    }
}

/// One layer of a convolutional embedding.
struct UnitLayer {
    /// Path in the `state_dict`.
    let name: String
    let outputChannels: Int
    /// 2 in the first layer of a stage, else 1.
    let stride: Int
    /// How many times as wide as its input an MBConv is inside.
    let expansion: Int
}

/// What convolutional embeddings can be made of, and what it asks of them.
struct ConvolutionalUnit: Sendable {
    /// Whether the stem and stage 0 are made of it too; if not, they are made of Fused-MBConv, for whole images the
    /// faster one, and it is in stages 1 to 3 only.
    var isEverywhere = false
    /// The widths that the unit can make are the multiples of this.
    var channelMultiple = 1
    /// The only number of layers that the unit can be built with, if there is one.
    var requiredLayers: Int?
    let append: Append

    /// Appends a layer: H×W×Cin → ⌈H/stride⌉×⌈W/stride⌉×outputChannels.
    typealias Append = @Sendable (_ builder: inout GraphBuilder, _ x: ValueID, _ layer: UnitLayer) -> ValueID

    /// What the stem and stage 0 are made of.
    var early: Append {
        if isEverywhere { return append }
        return { $0.fusedMBConv($2, $1) }
    }

    /// Checks that layers and unit of the convolutional embeddings go together and that there is an embedding made of
    /// the unit: a file must not claim what its model has not.
    func check(_ configuration: ModelConfiguration, source: String) throws(ConfigurationError) {
        let (name, layers) = (quoted(configuration.ceUnit.rawValue), configuration.ceLayers)
        func invalid(_ key: String, _ expected: String, _ found: String) -> ConfigurationError {
            .invalidValue(source: source, key: key, expected: expected, found: found)
        }
        guard configuration.ceUnit != .mbconv else { return }
        if let requiredLayers, layers != requiredLayers {
            throw invalid("ce_layers", "\(requiredLayers), as \"ce_unit\" \(name) needs", "\(layers)")
        }
        guard layers > 1 else {
            throw invalid(
                "ce_unit", "\"mbconv\", the default, as embeddings of 1 layer are a single convolution", name)
        }
        let dims = configuration.dims
        let stages = dims.indices.filter { configuration.embeddings[$0] == .ce && (isEverywhere || $0 > 0) }
        guard !stages.isEmpty else {
            throw invalid("ce_unit", "\"mbconv\", the default, as no embedding is made of the unit", name)
        }
        guard stages.allSatisfy({ dims[$0] % channelMultiple == 0 }) else {
            throw invalid(
                "dims",
                "multiples of \(channelMultiple) in stages \(stages.map(String.init).joined(separator: ", ")), as "
                    + "\"ce_unit\" \(name) needs", "\(dims)")
        }
    }
}
