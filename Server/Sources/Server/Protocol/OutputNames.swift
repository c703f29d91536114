import CETNet

/// The tensors that a model's answer may hold: those of the network and, of a classifier, its labels.
///
/// A task that comes later adds its outputs here and their data in ``InferenceResponse``.
struct OutputNames {
    static let logits = "logits"
    static let labels = "labels"
    static let probabilities = "probabilities"
    static let defaultTopK = 5

    private let model: Model

    init(_ model: Model) { self.model = model }

    /// Names with their datatypes and shapes; -1 where any extent goes.
    var all: [(name: String, datatype: String, shape: [Int])] {
        let network = (try? model.outputs(imageSize: ImageSize(square: model.configuration.imageSize))) ?? []
        let logits = network.filter { $0.name == Self.logits }.map { output in
            (Self.logits, "FP32", [-1, output.shape[1] ?? -1] + output.shape.dropFirst(2).map { _ in -1 })
        }
        let labels = classifies ? [(Self.labels, "BYTES", [-1, -1]), (Self.probabilities, "FP32", [-1, -1])] : []
        let maps = network.filter { $0.name != Self.logits }.map { ($0.name, "FP32", [-1, $0.shape[1] ?? -1, -1, -1]) }
        return logits + labels + maps
    }

    /// Whether the logits are one for each label, to be ranked, and not one for each label and place.
    var classifies: Bool {
        (try? logitsShape(size: ImageSize(square: model.configuration.imageSize)))?.count == 1
    }

    /// The shape of an image's logits; `nil` where the model has none.
    func logitsShape(size: ImageSize) throws -> [Int]? {
        try model.outputs(imageSize: size).first { $0.name == Self.logits }?.shape.dropFirst().map { $0! }
    }

    /// The stages' maps at an image size, in order.
    func maps(size: ImageSize) throws -> [(name: String, shape: [Int])] {
        try model.outputs(imageSize: size).filter { $0.name != Self.logits }
            .map { ($0.name, $0.shape.dropFirst().map { $0! }) }
    }

    /// The outputs of a request; if it names none, the labels if it says how many, else the logits, or the maps of a
    /// model that has none.
    func requested(_ request: InferenceRequest) -> [InferenceRequest.Output] {
        if let outputs = request.outputs, !outputs.isEmpty { return outputs }
        guard model.hasClassifier else { return all.map { .init(name: $0.name) } }
        let names = request.parameters?.topK == nil || !classifies ? [Self.logits] : [Self.labels, Self.probabilities]
        return names.map { .init(name: $0) }
    }

    /// Whether a request needs the stages' maps.
    /// - Throws: ``ServingError/invalid(_:)`` for a name that is not known.
    func needMaps(_ request: InferenceRequest) throws -> Bool {
        let known = all.map(\.name)
        let names = requested(request).map(\.name)
        if let name = names.first(where: { !known.contains($0) }) {
            throw ServingError.invalid(
                "outputs: expected names among \(known.joined(separator: ", ")), found \(name)")
        }
        return !Set(names).isSubset(of: [Self.logits, Self.labels, Self.probabilities])
    }
}
