import HTTPTypes
import Hummingbird
import Logging

/// Gives each request an id, answers what went wrong as the protocol says, and counts and logs the outcome.
struct AccessLog: RouterMiddleware {
    typealias Context = ServerContext
    let metrics: ServerMetrics

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let given = request.headers[.requestID].flatMap { Self.isUsable($0) ? $0 : nil }
        let id = given ?? context.id
        var response: Response
        var entry: Logger.Metadata = [
            "request_id": "\(id)", "method": "\(request.method.rawValue)", "path": "\(request.uri.path)",
        ]
        do {
            response = try await next(request, context)
        } catch {
            let answer = ErrorAnswer(error)
            response = answer.response
            entry["error"] = "\(answer.message)"
            if answer.status == .internalServerError { context.logger.error("\(error)", metadata: entry) }
        }
        response.headers[.requestID] = id
        let duration = ContinuousClock.now - start
        entry["status"] = .stringConvertible(response.status.code)
        entry["seconds"] = .stringConvertible(duration / .seconds(1))
        if let length = request.headers[.contentLength] { entry["request_bytes"] = "\(length)" }
        if let length = response.body.contentLength { entry["response_bytes"] = .stringConvertible(length) }
        if let timing = response.headers[.serverTiming] { entry["timing"] = "\(timing)" }
        context.logger.info("request", metadata: entry)
        metrics.answered(
            route: context.endpointPath ?? "none",
            method: Self.known.contains(request.method) ? request.method.rawValue : "other",
            status: response.status.code, duration: duration)
        return response
    }

    private static let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    /// Whether an id of the client's may stand in answers and logs.
    private static func isUsable(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { UInt8(ascii: "!")...UInt8(ascii: "~") ~= $0 }
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let serverTiming = HTTPField.Name("Server-Timing")!
}
