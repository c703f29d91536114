import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /v2/models/MODEL/infer`: runs a model.
func infer(
    _ request: Request, _ context: ServerContext, model: ServedModel, _ state: ServerState
) async throws -> Response {
    let arrival = ContinuousClock.now
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
        throw ServingError.encoding(encoding)
    }
    let header = try request.headers[.inferenceHeaderContentLength].map { text in
        guard let length = Int(text), length >= 0 else {
            throw ServingError.invalid("Inference-Header-Content-Length: expected a number, found \(text)")
        }
        return length
    }
    let body = try await collect(request, limit: state.options.largestBody)
    return try await context.whileConnected {
        @Sendable func parse() throws -> InferenceBody {
            try InferenceBody(
                body, header: header, model: model, largestTensor: state.options.largestTensor,
                largestCount: state.options.queueCapacity)
        }
        let isLong = (header ?? body.readableBytes) > longJSON
        let parsed = isLong ? try await state.scheduler.perform(parse) : try parse()
        var patience = state.options.requestTimeout
        if let microseconds = parsed.request.parameters?.timeout, microseconds > 0 {
            patience = min(patience, .microseconds(microseconds))
        }
        let needsMaps = try OutputNames(model.model).needMaps(parsed.request)
        let (outputs, timings) = try await state.scheduler.run(
            parsed.images, on: model, features: needsMaps, deadline: arrival + patience)
        @Sendable func write() throws -> Response {
            try InferenceResponse(parsed.request, model: model, outputs).response()
        }
        var response = needsMaps ? try await state.scheduler.perform(write) : try write()
        response.headers[.serverTiming] = timings.header
        return response
    }
}

/// Bytes of JSON that are taken apart on the threads that compute: those that talk to clients stay free.
private let longJSON = 1 << 16

private func collect(_ request: Request, limit: Int) async throws -> ByteBuffer {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
        throw ServingError.tooLarge(limit: limit)
    }
    do {
        return try await request.body.collect(upTo: limit)
    } catch is NIOTooManyBytesError {
        throw ServingError.tooLarge(limit: limit)
    }
}

extension Timings {
    /// As the header `Server-Timing` has it, in milliseconds.
    var header: String {
        func text(_ name: String, _ duration: Duration) -> String {
            "\(name);dur=\((duration / .milliseconds(1) * 1000).rounded() / 1000)"
        }
        return [text("queue", queue), text("decode", decode), text("compute", compute)].joined(separator: ", ")
    }
}
