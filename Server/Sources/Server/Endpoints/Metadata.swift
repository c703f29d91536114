import CETNet
import Hummingbird

/// `GET /v2/health/live` and `/v2/health/ready`: models are loaded before the server listens, so it is both or neither.
func live() -> Response { .json([String: String]()) }

/// `GET /v2/models/MODEL/ready`
func modelReady(_ model: ServedModel) -> Response {
    .json(["name": .text(model.name), "ready": .flag(true)] as [String: Readiness])
}

private enum Readiness: Encodable {
    case text(String)
    case flag(Bool)

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .flag(let flag): try container.encode(flag)
        }
    }
}

/// `GET /v2`: what the server is.
func serverMetadata() -> Response {
    struct Object: Encodable {
        let name = "cetnet-serve"
        let version = CETNetVersion.current
        let extensions = ["binary_tensor_data", "classification", "model_repository"]
    }
    return .json(Object())
}

/// `GET /v2/models/MODEL`: the tensors that a model takes and gives.
func modelMetadata(_ served: ServedModel) -> Response {
    struct TensorObject: Encodable {
        let name: String
        let datatype: String
        let shape: [Int]
    }
    struct Parameters: Encodable {
        let encoded_images = "the input may be BYTES [-1] instead: JPEG or PNG files; base64 in JSON"
        let image_size: Int
        let labels: Int
        let precision: String
    }
    struct Object: Encodable {
        let name: String
        let versions = [ServedModel.version]
        let platform = "cetnet"
        let inputs: [TensorObject]
        let outputs: [TensorObject]
        let parameters: Parameters
    }
    let model = served.model
    return .json(
        Object(
            name: served.name,
            inputs: model.inputs.map {
                TensorObject(name: $0.name, datatype: "FP32", shape: $0.shape.map { $0 ?? -1 })
            },
            outputs: OutputNames(model).all.map { TensorObject(name: $0.name, datatype: $0.datatype, shape: $0.shape) },
            parameters: Parameters(
                image_size: model.configuration.imageSize,
                labels: model.hasClassifier ? model.configuration.numLabels : 0,
                precision: model.precision.rawValue)))
}

/// `POST /v2/repository/index`: the models that are served, as the extension "model repository" lists them.
func repositoryIndex(_ state: ServerState) -> Response {
    .json(
        state.repository.models.map {
            ["name": $0.name, "version": ServedModel.version, "state": "READY", "reason": ""]
        })
}
