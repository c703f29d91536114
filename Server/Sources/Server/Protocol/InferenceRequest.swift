import CETNet
import Foundation

/// The JSON object of an inference request, as the Open Inference Protocol (version 2, REST) and the extensions "binary
/// tensor data" and "classification" have it. What is unknown in it is ignored.
struct InferenceRequest: Decodable, Sendable {
    /// Comes back with the answer.
    var id: String?
    var parameters: Parameters?
    var inputs: [Input]
    var outputs: [Output]?

    /// Of the request.
    struct Parameters: Decodable, Sendable {
        /// How many labels to give for each image.
        var topK: Int?
        /// Whether outputs are to be binary unless they say otherwise.
        var binaryDataOutput: Bool?
        /// Microseconds that the request may take.
        var timeout: Int?

        enum CodingKeys: String, CodingKey {
            case topK = "top_k"
            case binaryDataOutput = "binary_data_output"
            case timeout
        }
    }

    /// A tensor of the request.
    struct Input: Decodable, Sendable {
        let name: String
        let shape: [Int]
        let datatype: String
        let binaryDataSize: Int?
        /// What JSON holds, row-major; `nil` if the numbers follow the JSON.
        let data: TensorData?

        private enum CodingKeys: String, CodingKey { case name, shape, datatype, parameters, data }
        private struct Parameters: Decodable {
            let binary_data_size: Int?
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            shape = try container.decode([Int].self, forKey: .shape)
            datatype = try container.decode(String.self, forKey: .datatype)
            binaryDataSize =
                try container.decodeIfPresent(Parameters.self, forKey: .parameters)?.binary_data_size
            guard container.contains(.data) else {
                data = nil
                return
            }
            switch datatype {
            case "FP32": data = .numbers(try TensorData.flat(container, .data))
            case "BYTES": data = .strings(try TensorData.flat(container, .data))
            default: data = nil
            }
        }
    }

    /// A tensor that the answer is to hold.
    struct Output: Decodable, Sendable {
        let name: String
        var parameters: Parameters?

        struct Parameters: Decodable, Sendable {
            var binaryData: Bool?
            /// How many of the largest values to give as text instead of the tensor.
            var classification: Int?

            enum CodingKeys: String, CodingKey {
                case binaryData = "binary_data"
                case classification
            }
        }
    }
}

/// The contents of a tensor in JSON.
enum TensorData: Sendable {
    case numbers([Float])
    case strings([String])

    /// Decodes an array, flat or nested as its shape is.
    static func flat<Element: Decodable, Key: CodingKey>(
        _ container: KeyedDecodingContainer<Key>, _ key: Key
    ) throws -> [Element] {
        var nested = try container.nestedUnkeyedContainer(forKey: key)
        var values: [Element] = []
        try append(&nested, to: &values, depth: 1)
        return values
    }

    private static func append<Element: Decodable>(
        _ container: inout any UnkeyedDecodingContainer, to values: inout [Element], depth: Int
    ) throws {
        // A list holds either values or lists: only its first element is looked at, so that long lists are quick.
        guard !container.isAtEnd else { return }
        if depth < 8, var nested = try? container.nestedUnkeyedContainer() {
            try append(&nested, to: &values, depth: depth + 1)
            while !container.isAtEnd {
                var nested = try container.nestedUnkeyedContainer()
                try append(&nested, to: &values, depth: depth + 1)
            }
        } else {
            while !container.isAtEnd { values.append(try container.decode(Element.self)) }
        }
    }
}
