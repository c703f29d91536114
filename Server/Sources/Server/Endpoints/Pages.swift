import Hummingbird

/// `GET /`: the page to try models with. Nothing in it comes from elsewhere.
func page() -> Response {
    Response(
        status: .ok,
        headers: [
            .contentType: "text/html; charset=utf-8",
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
                + "img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ],
        body: .init(byteBuffer: ByteBuffer(bytes: PackageResources.index_html)))
}

/// `GET /openapi.json`: this interface, for machines.
func openAPI() -> Response {
    Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: .init(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
}

/// `GET /metrics`: for Prometheus.
func metricsText(_ state: ServerState) -> Response {
    let lengths = state.repository.models.map { state.scheduler.queueLength(of: $0) }
    return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(byteBuffer: ByteBuffer(string: state.metrics.text(queueLengths: lengths))))
}
