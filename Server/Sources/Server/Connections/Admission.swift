import Hummingbird

/// Who may ask: holders of the token, where there is one, and no pages of other sites.
struct Admission: RouterMiddleware {
    typealias Context = ServerContext
    let token: String?

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // A browser says for whom it asks. Without this, any page could use the server of whoever looks at it.
        if let origin = request.headers[.origin], let host = request.head.authority,
            origin != "http://\(host)", origin != "https://\(host)"
        {
            throw ServingError.foreignOrigin(origin)
        }
        // Health, for supervisors, and the page itself hold nothing that is not public.
        if let token, request.uri.path != "/", !request.uri.path.hasPrefix("/v2/health/") {
            let given = request.headers[.authorization] ?? ""
            guard Self.areEqual(given, "Bearer " + token) else { throw ServingError.unauthorized }
        }
        return try await next(request, context)
    }

    /// Takes as long whatever the first difference is.
    private static func areEqual(_ given: String, _ expected: String) -> Bool {
        let (given, expected) = (Array(given.utf8), Array(expected.utf8))
        var difference = given.count ^ expected.count
        for (index, byte) in given.enumerated() { difference |= Int(byte ^ expected[index % expected.count]) }
        return difference == 0
    }
}
