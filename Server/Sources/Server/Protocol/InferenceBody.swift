import CETNet
import Foundation
import NIOCore

/// The body of an inference request, taken apart and checked against the model.
struct InferenceBody: Sendable {
    let request: InferenceRequest
    /// One for each row of the input tensor.
    let images: [ImageInput]

    /// - Parameters:
    ///   - body: JSON, followed by binary tensors; or an image file.
    ///   - header: the length of the JSON, from the header `Inference-Header-Content-Length`; `nil` if it is all, 0 if
    ///     the body is an image file and nothing else.
    /// - Throws: ``ServingError/invalid(_:)``.
    init(_ body: ByteBuffer, header: Int?, model: ServedModel, largestTensor: Int, largestCount: Int) throws {
        let name = model.model.inputs[0].name
        guard header != 0 else {
            request = InferenceRequest(
                parameters: .init(topK: Self.labelsOfFile, binaryDataOutput: false, timeout: nil), inputs: [],
                outputs: nil)
            images = [.encoded(Array(body.readableBytesView))]
            return
        }
        let length = header ?? body.readableBytes
        guard (1...max(1, body.readableBytes)).contains(length), body.readableBytes > 0 else {
            throw ServingError.invalid(
                "expected \(length) bytes of JSON, as Inference-Header-Content-Length says, found \(body.readableBytes)"
            )
        }
        do {
            request = try JSONDecoder().decode(
                InferenceRequest.self, from: Data(body.readableBytesView.prefix(length)))
        } catch let error as DecodingError {
            throw ServingError.invalid(error.words)
        }
        guard request.inputs.count == 1, let input = request.inputs.first, input.name == name else {
            let found = request.inputs.map(\.name).joined(separator: ", ")
            throw ServingError.invalid("inputs: expected one tensor, \(name), found \(found.isEmpty ? "none" : found)")
        }
        var binary = body.readableBytesView.dropFirst(length)
        let tensor = try InputTensor(input, taking: &binary)
        guard binary.isEmpty else {
            throw ServingError.invalid(
                "expected the body to end with the last tensor, found \(binary.count) more bytes")
        }
        images = try tensor.images(for: model.model, largestTensor: largestTensor, largestCount: largestCount)
    }

    /// How many labels an image file gets, which cannot say.
    private static let labelsOfFile = 5
}

/// An input with its contents.
private struct InputTensor {
    let input: InferenceRequest.Input
    /// What the JSON has, or `nil` and then the bytes that follow it.
    let data: TensorData?
    let bytes: ByteBufferView

    init(_ input: InferenceRequest.Input, taking binary: inout ByteBufferView) throws {
        self.input = input
        data = input.data
        let size = input.binaryDataSize ?? 0
        guard (data == nil) != (input.binaryDataSize == nil) else {
            throw ServingError.invalid(
                "\(input.name): expected either data or the parameter binary_data_size, found \(data == nil ? "none" : "both")"
            )
        }
        guard (0...binary.count).contains(size) else {
            throw ServingError.invalid(
                "\(input.name): expected \(size) bytes after the JSON, as binary_data_size says, found \(binary.count)")
        }
        bytes = binary.prefix(size)
        binary = binary.dropFirst(size)
    }

    func images(for model: Model, largestTensor: Int, largestCount: Int) throws -> [ImageInput] {
        switch input.datatype {
        case "FP32": try tensors(for: model, largestTensor: largestTensor, largestCount: largestCount)
        case "BYTES": try files(largestCount: largestCount)
        default:
            throw ServingError.invalid("\(input.name): expected the datatype FP32 or BYTES, found \(input.datatype)")
        }
    }

    private func wrong(_ what: String, expected: String, found: String) -> ServingError {
        .invalid("\(input.name): expected \(what) \(expected), found \(found)")
    }

    private func tensors(for model: Model, largestTensor: Int, largestCount: Int) throws -> [ImageInput] {
        let shape = input.shape
        let channels = model.inputs[0].shape[1]!
        let side = model.configuration.imageSize
        let largest = max(largestTensor, side * side)
        guard shape.count == 4, (1...largestCount).contains(shape[0]), shape[1] == channels,
            (1...8192).contains(shape[2]), (1...8192).contains(shape[3]), shape[2] * shape[3] <= largest
        else {
            throw wrong(
                "a shape",
                expected:
                    "[n, \(channels), height, width] of at most \(largestCount) images of \(largest) pixels",
                found: "\(shape)")
        }
        let size = ImageSize(height: shape[2], width: shape[3])
        let count = channels * size.area
        let values: [Float]
        switch data {
        case .numbers(let numbers): values = numbers
        case .strings: throw wrong("data", expected: "of numbers", found: "strings")
        case nil:
            guard bytes.count == shape[0] * count * 4 else {
                throw wrong("binary_data_size", expected: "\(shape[0] * count * 4)", found: "\(bytes.count)")
            }
            // Little-endian, as the protocol has it and the processors that this runs on.
            values = [Float](unsafeUninitializedCapacity: shape[0] * count) { buffer, initialized in
                UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
                initialized = buffer.count
            }
        }
        guard values.count == shape[0] * count else {
            throw wrong("data", expected: "of \(shape[0] * count) numbers", found: "\(values.count)")
        }
        guard shape[0] > 1 else { return [.tensor(values, size)] }
        return (0..<shape[0]).map { .tensor(Array(values[$0 * count..<($0 + 1) * count]), size) }
    }

    private func files(largestCount: Int) throws -> [ImageInput] {
        let shape = input.shape
        guard shape.count == 1 || (shape.count == 2 && shape[1] == 1), (1...largestCount).contains(shape[0]) else {
            throw wrong("a shape", expected: "[n] or [n, 1] of at most \(largestCount) images", found: "\(shape)")
        }
        var files: [ImageInput] = []
        if case .strings(let strings) = data {
            files = try strings.enumerated().map { index, string in
                guard let file = Data(base64Encoded: string) else {
                    throw wrong("element \(index)", expected: "of base64", found: "other text")
                }
                return .encoded(Array(file))
            }
        } else {
            var rest = bytes
            while !rest.isEmpty {
                let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                guard rest.count >= 4, length <= rest.count - 4, files.count < shape[0] else {
                    throw wrong(
                        "\(shape[0]) elements", expected: "that fill the binary data, each after its length in 4 bytes",
                        found: "\(rest.count) bytes after \(files.count) elements")
                }
                rest = rest.dropFirst(4)
                files.append(.encoded(Array(rest.prefix(length))))
                rest = rest.dropFirst(length)
            }
        }
        guard files.count == shape[0] else {
            throw wrong("data", expected: "of \(shape[0]) elements", found: "\(files.count)")
        }
        return files
    }
}

extension DecodingError {
    /// What is wrong, in words for a person, with the place in the JSON.
    var words: String {
        func at(_ context: Context, _ key: (any CodingKey)? = nil) -> String {
            let path = (context.codingPath + (key.map { [$0] } ?? [])).map {
                $0.intValue.map { "\($0)" } ?? $0.stringValue
            }
            return path.isEmpty ? "the request" : path.joined(separator: ".")
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(at(context, key)): missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(at(context)): \(context.debugDescription)"
        @unknown default: return "the request: not as the protocol has it"
        }
    }
}
