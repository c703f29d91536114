import CETNet
import Foundation
import HTTPTypes
import Hummingbird

/// The answer to an inference request.
struct InferenceResponse {
    private let model: ServedModel
    private let id: String?
    private var outputs: [OutputTensor] = []

    /// Makes the tensors that a request asks for.
    /// - Throws: ``ServingError/invalid(_:)`` for numbers that JSON has no way to write.
    init(_ request: InferenceRequest, model: ServedModel, _ results: [ImageOutput]) throws {
        self.model = model
        id = request.id
        let names = OutputNames(model.model)
        let maps = try names.maps(size: results[0].size)
        let labels = model.model.configuration.labels
        let count = min(max(1, request.parameters?.topK ?? OutputNames.defaultTopK), labels.count)
        for output in names.requested(request) {
            let isBinary = output.parameters?.binaryData ?? request.parameters?.binaryDataOutput ?? false
            func add(_ shape: [Int], _ data: TensorData) throws {
                outputs.append(try OutputTensor(name: output.name, shape: shape, data: data, isBinary: isBinary))
            }
            func ranked<Value>(_ count: Int, _ value: (ImageOutput, Prediction) -> Value) throws -> [Value] {
                try results.enumerated().flatMap { index, result in
                    do throws(ModelError) {
                        return try model.model.predictions(logits: result.logits[...], top: count)
                            .map { value(result, $0) }
                    } catch {
                        throw ModelError.notFinite(image: index)
                    }
                }
            }
            if let classes = output.parameters?.classification, output.name == OutputNames.logits, names.classifies {
                let count = min(max(1, classes), labels.count)
                try add(
                    [results.count, count],
                    .strings(ranked(count) { "\($0.logits[$1.index]):\($1.index):\($1.label)" }))
                continue
            }
            switch output.name {
            case OutputNames.logits:
                try add(
                    [results.count] + (names.logitsShape(size: results[0].size) ?? []),
                    .numbers(results.flatMap(\.logits)))
            case OutputNames.labels: try add([results.count, count], .strings(ranked(count) { $1.label }))
            case OutputNames.probabilities: try add([results.count, count], .numbers(ranked(count) { $1.probability }))
            default:
                let stage = maps.firstIndex { $0.name == output.name }!
                try add([results.count] + maps[stage].shape, .numbers(results.flatMap { $0.features[stage] }))
            }
        }
    }

    /// As HTTP has it: JSON, followed by the binary tensors if there are any.
    func response() throws -> Response {
        struct Object: Encodable {
            let model_name: String
            let model_version = ServedModel.version
            let id: String?
            let outputs: [OutputTensor]
        }
        let json = try ProtocolJSON.encoder.encode(Object(model_name: model.name, id: id, outputs: outputs))
        var body = ByteBuffer(bytes: json)
        let binary = outputs.compactMap(\.binary)
        guard !binary.isEmpty else {
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
        }
        for bytes in binary { body.writeBytes(bytes) }
        return Response(
            status: .ok,
            headers: [.contentType: "application/octet-stream", .inferenceHeaderContentLength: "\(json.count)"],
            body: .init(byteBuffer: body))
    }
}

/// A tensor of the answer.
private struct OutputTensor: Encodable {
    let name: String
    let shape: [Int]
    let data: TensorData
    /// What follows the JSON; `nil` if the JSON holds the data.
    let binary: [UInt8]?

    init(name: String, shape: [Int], data: TensorData, isBinary: Bool) throws {
        (self.name, self.shape, self.data) = (name, shape, data)
        binary = isBinary ? data.bytes : nil
        if !isBinary, case .numbers(let numbers) = data, !numbers.allSatisfy(\.isFinite) {
            throw ServingError.invalid("\(name): JSON cannot hold NaN or infinity; ask for binary data")
        }
    }

    private enum CodingKeys: String, CodingKey { case name, shape, datatype, parameters, data }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(shape, forKey: .shape)
        try container.encode(data.datatype, forKey: .datatype)
        if let binary { return try container.encode(["binary_data_size": binary.count], forKey: .parameters) }
        switch data {
        case .numbers(let numbers): try container.encode(numbers, forKey: .data)
        case .strings(let strings): try container.encode(strings, forKey: .data)
        }
    }
}

extension TensorData {
    /// The protocol's name of its type.
    var datatype: String {
        switch self {
        case .numbers: "FP32"
        case .strings: "BYTES"
        }
    }

    /// As the binary tensor data extension has it: little-endian; before each string its length in 4 bytes.
    var bytes: [UInt8] {
        switch self {
        case .numbers(let numbers): numbers.withUnsafeBytes { Array($0) }
        case .strings(let strings):
            strings.flatMap { string in
                withUnsafeBytes(of: UInt32(string.utf8.count).littleEndian) { Array($0) } + Array(string.utf8)
            }
        }
    }
}

extension HTTPField.Name {
    /// The length of the JSON in a body that goes on with binary tensors.
    static let inferenceHeaderContentLength = HTTPField.Name("Inference-Header-Content-Length")!
}
