import CETNetCheckpoint
import CETNetGraph

/// A tensor of a quantised model's file. Documentation/ModelFiles.md has the format for those who write or read one.
///
/// A linear layer or dense convolution whose format a precision changes has its weights there as they are multiplied
/// with: rounded after BatchNorm behind it, LayerNorm in front of it and attention's scale are folded in. The tensors of
/// the normalisations that are folded are not there, all others are as they were.
package struct QuantizedTensor: Sendable {
    package let name: String
    package let shape: [Int]
    /// `nil` for whatever is read as float32; written as F32.
    package let elementType: ElementType?
    private let content: Content

    private enum Content {
        case parameter
        /// Of the layer whose weight has that name.
        case weight(String)
        case scale(String)
        case bias(String)
    }

    private init(_ name: String, _ shape: [Int], _ elementType: ElementType?, _ content: Content) {
        (self.name, self.shape, self.elementType, self.content) = (name, shape, elementType, content)
    }

    /// The tensors of a network in a precision, in execution order.
    package static func list(_ graph: Graph, precision: Precision) -> [QuantizedTensor] {
        var (layers, folded) = ([String: MatrixLayer](), Set<String>())
        for layer in Fusion.fuse(graph).flatMap(\.layer.matrices)
        where layer.format(in: precision, float32: .panels).isConverted {
            layers[layer.weight.name] = layer
            folded.formUnion(((layer.layerNorm?.parameters ?? []) + (layer.batchNorm?.parameters ?? [])).map(\.name))
        }
        return graph.parameters.filter { !folded.contains($0.name) }.flatMap { parameter in
            layers[parameter.name].map { tensors(of: $0, precision) }
                ?? [QuantizedTensor(parameter.name, parameter.shape, nil, .parameter)]
        }
    }

    private static func tensors(of layer: MatrixLayer, _ precision: Precision) -> [QuantizedTensor] {
        let (weight, outputs) = (layer.weight, [layer.outputChannels])
        let isInt8 = layer.format(in: precision, float32: .panels) == .int8
        return [QuantizedTensor(weight.name, weight.shape, isInt8 ? .i8 : .bf16, .weight(weight.name))]
            + (isInt8 ? [QuantizedTensor(layer.scaleName, outputs, .f32, .scale(weight.name))] : [])
            + (layer.isFolded ? [QuantizedTensor(layer.foldedBiasName, outputs, .f32, .bias(weight.name))] : [])
    }

    /// Lends the tensor's bytes, little-endian.
    /// - Parameters:
    ///   - network: frozen in the precision of the list.
    ///   - source: what it was frozen from.
    /// - Throws: `CheckpointError` for weights that are not finite in the precision; what `source` and `body` throw.
    package func withBytes(
        in network: FrozenNetwork, from source: any TensorSource, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        func packed(_ weight: String) -> (layer: MatrixLayer, matrix: PackedMatrix, storage: UnsafeRawPointer) {
            let layer = network.nodes.lazy.flatMap(\.layer.matrices).first { $0.weight.name == weight }!
            let (matrix, region) = layer.packed!
            return (layer, matrix, network.weights(region).address)
        }
        switch content {
        case .parameter:
            try source.withValues(of: name) { try body(UnsafeRawBufferPointer($0)) }
        case .weight(let weight):
            let (layer, matrix, storage) = packed(weight)
            if elementType == .i8 {
                let values = matrix.unpackWeights(storage, as: Int8.self, kernels: network.kernels)
                try layer.inFileOrder(values).withUnsafeBytes(body)
            } else {
                let values = matrix.unpackWeights(storage, as: UInt16.self, kernels: network.kernels)
                try requireFinite(values.allSatisfy { $0 & 0x7f80 != 0x7f80 }, source)
                try layer.inFileOrder(values.map(\.littleEndian)).withUnsafeBytes(body)
            }
        case .scale(let weight), .bias(let weight):
            let (_, matrix, storage) = packed(weight)
            let (scales, bias) = matrix.unpackHeader(storage, kernels: network.kernels)
            let values = if case .scale = content { scales } else { bias }
            try requireFinite(values.allSatisfy(\.isFinite), source)
            try values.withUnsafeBytes(body)
        }
    }

    private func requireFinite(_ isFinite: Bool, _ source: any TensorSource) throws(CheckpointError) {
        guard !isFinite else { return }
        let weight =
            switch content {
            case .parameter: name
            case .weight(let weight), .scale(let weight), .bias(let weight): weight
            }
        throw .malformedTensor(
            file: source.sourceName, tensor: weight, expected: "finite weights, with what is folded into them",
            found: "NaN, infinity or numbers too large for the precision")
    }
}

extension MatrixLayer {
    /// Whether something around the layer is folded into its weights and bias.
    fileprivate var isFolded: Bool { batchNorm != nil || layerNorm != nil || queryScale != nil }
    fileprivate var scaleName: String { weight.name + "_scale" }
    fileprivate var foldedBiasName: String { weight.name.dropLast("weight".count) + "folded_bias" }

    /// From the order that the layer multiplies in to that of a file; see ``withMatrix(from:_:)``.
    fileprivate func inFileOrder<Element>(_ values: [Element]) -> [Element] {
        switch kind {
        case .linear(let linear):
            guard gathersPatches else { return values }
            // Its own inverse.
            return values.withUnsafeBufferPointer { PatchOrder.byRows($0, channels: linear.inputChannels / 4) }
        case .convolution(let convolution):
            let taps = convolution.kernel * convolution.kernel
            guard taps > 1 else { return values }
            let channels = depth / taps
            return values.indices.map { index in
                let (output, place) = index.quotientAndRemainder(dividingBy: depth)
                return values[output * depth + place % taps * channels + place / taps]
            }
        }
    }

    /// Packs what a quantised file has of the layer.
    func fillQuantized(_ filling: Freezer.Filling) throws {
        let (matrix, region) = packed!
        let source = filling.source
        let address = filling.address(region)
        let bias =
            try isFolded
            ? source.values(of: foldedBiasName)
            : bias.map { try source.values($0) } ?? [Float](repeating: 0, count: outputChannels)
        guard matrix.format == .int8 else {
            return try withMatrix(from: source) {
                matrix.pack($0.baseAddress!, bias: bias, into: address, kernels: filling.kernels)
            }
        }
        let scales = try source.values(of: scaleName)
        if let wrong = scales.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw CheckpointError.malformedTensor(
                file: source.sourceName, tensor: scaleName, expected: "scales, which are finite and not negative",
                found: "\(scales[wrong]) for output \(wrong)")
        }
        try source.withIntegers(of: weight.name) { integers in
            guard integers.reduce(Int8(0), { min($0, $1) }) >= -127 else {
                throw CheckpointError.malformedTensor(
                    file: source.sourceName, tensor: weight.name, expected: "integers of -127 to 127", found: "-128")
            }
            func pack(_ integers: UnsafeBufferPointer<Int8>) {
                matrix.pack(
                    integers: integers.baseAddress!, scales: scales, bias: bias, into: address, kernels: filling.kernels
                )
            }
            guard gathersPatches else { return pack(integers) }
            PatchOrder.byRows(integers, channels: depth / 4).withUnsafeBufferPointer(pack)
        }
    }
}
