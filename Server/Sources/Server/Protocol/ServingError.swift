import CETNet
import CETNetImaging
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request has no result. The answer is `{"error": "…"}`, as the protocol says, with the status that fits.
enum ServingError: Error, Equatable {
    /// The request contradicts the protocol or the model.
    case invalid(String)
    /// The request does not name a model, or a version of one, that is served.
    case notFound(String)
    /// The address takes other methods.
    case method(allowed: [String])
    /// The body is longer than is allowed.
    case tooLarge(limit: Int)
    /// The body is compressed.
    case encoding(String)
    /// There is no token, or not the right one.
    case unauthorized
    /// A page of another site sent the request.
    case foreignOrigin(String)
    /// The queue is full.
    case busy
    /// The deadline has passed.
    case timeout

    var status: HTTPResponse.Status {
        switch self {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .method: .methodNotAllowed
        case .tooLarge: .contentTooLarge
        case .encoding: .unsupportedMediaType
        case .unauthorized: .unauthorized
        case .foreignOrigin: .forbidden
        case .busy: .serviceUnavailable
        case .timeout: .gatewayTimeout
        }
    }

    var headers: HTTPFields {
        switch self {
        case .method(let allowed): [.allow: allowed.joined(separator: ", ")]
        case .unauthorized: [.wwwAuthenticate: "Bearer"]
        case .busy: [.retryAfter: "1"]
        default: [:]
        }
    }

    var message: String {
        switch self {
        case .invalid(let what), .notFound(let what): what
        case .method(let allowed): "expected \(allowed.joined(separator: " or "))"
        case .tooLarge(let limit): "expected a body of at most \(limit) bytes, found more"
        case .encoding(let found): "expected a body without Content-Encoding, found \(found)"
        case .unauthorized: "expected the header Authorization with this server's bearer token"
        case .foreignOrigin(let origin): "expected a request from this server's own page, found one from \(origin)"
        case .busy: "the queue is full; try again later"
        case .timeout: "the request's time is up"
        }
    }
}

/// The answer to a request that failed.
struct ErrorAnswer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let message: String

    init(_ error: any Error) {
        switch error {
        case let error as ServingError: self.init(error.status, error.headers, error.message)
        case is CancellationError: self.init(.init(code: 499, reasonPhrase: "Client Closed Request"), [:], "cancelled")
        case is NIOTooManyBytesError: self.init(.contentTooLarge, [:], "the body is too long")
        case ModelError.outOfMemory, ImageError.outOfMemory: self.init(.serviceUnavailable, [:], "\(error)")
        case let error as ModelError: self.init(.badRequest, [:], error.description)
        case let error as ImageError: self.init(.badRequest, [:], error.description)
        case let error as HTTPError where error.status == .notFound:
            self.init(.notFound, [:], "there is no such address")
        case let error as HTTPError: self.init(error.status, error.headers, error.body ?? error.status.reasonPhrase)
        default: self.init(.internalServerError, [:], "internal error")
        }
    }

    private init(_ status: HTTPResponse.Status, _ headers: HTTPFields, _ message: String) {
        (self.status, self.headers, self.message) = (status, headers, message)
    }

    var response: Response {
        var response = Response.json(["error": message], status: status)
        response.headers.append(contentsOf: headers)
        return response
    }
}

extension Response {
    /// An answer in JSON.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        // Only numbers that are not finite cannot be written, and no caller has such.
        let data = (try? ProtocolJSON.encoder.encode(value)) ?? Data()
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }
}

/// How JSON is written.
enum ProtocolJSON {
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}
