import Hummingbird

/// What all endpoints work with.
struct ServerState: Sendable {
    let repository: ModelRepository
    let scheduler: Scheduler
    let options: ServerOptions
    let metrics: ServerMetrics

    /// The model that an address names.
    /// - Throws: ``ServingError/notFound(_:)``.
    func model(_ context: ServerContext) throws -> ServedModel {
        let name = context.parameters.get("model").flatMap { $0.removingPercentEncoding } ?? ""
        guard let model = repository.model(named: name) else {
            throw ServingError.notFound("there is no model \"\(name)\"")
        }
        if let version = context.parameters.get("version"), version != ServedModel.version {
            throw ServingError.notFound("model \(name): expected version \(ServedModel.version), found \(version)")
        }
        return model
    }
}

extension Router<ServerContext> {
    /// The addresses, each with what answers it; other methods are told which there are.
    func addRoutes(_ state: ServerState) {
        answer(.get, "/") { _, _ in page() }
        answer(.get, "/openapi.json") { _, _ in openAPI() }
        answer(.get, "/metrics") { _, _ in metricsText(state) }
        answer(.get, "/v2") { _, _ in serverMetadata() }
        answer(.get, "/v2/health/live") { _, _ in live() }
        answer(.get, "/v2/health/ready") { _, _ in live() }
        answer(.post, "/v2/repository/index") { _, _ in repositoryIndex(state) }
        for model in ["/v2/models/:model", "/v2/models/:model/versions/:version"] {
            answer(.get, model) { _, context in modelMetadata(try state.model(context)) }
            answer(.get, model + "/ready") { _, context in modelReady(try state.model(context)) }
            answer(.post, model + "/infer") { request, context in
                try await infer(request, context, model: state.model(context), state)
            }
        }
    }

    private func answer(
        _ method: HTTPRequest.Method, _ path: String,
        _ body: @escaping @Sendable (Request, ServerContext) async throws -> Response
    ) {
        on(RouterPath(path), method: method, use: body)
        let allowed = method == .get ? ["GET", "HEAD"] : [method.rawValue]
        for other: HTTPRequest.Method in [.get, .post, .put, .patch, .delete, .options, .trace]
        where other != method {
            on(RouterPath(path), method: other) { _, _ -> Response in throw ServingError.method(allowed: allowed) }
        }
        if method != .get {
            on(RouterPath(path), method: .head) { _, _ -> Response in throw ServingError.method(allowed: allowed) }
        }
    }
}
