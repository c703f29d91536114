import CETNet
import Synchronization

/// One image as a request brings it.
enum ImageInput: Sendable {
    /// The bytes of a JPEG or PNG file.
    case encoded([UInt8])
    /// Normalised numbers, (3, height, width).
    case tensor([Float], ImageSize)
}

/// What a model gives for one image.
struct ImageOutput: Sendable {
    /// (labels); empty where the model has no classifier.
    var logits: [Float]
    /// For each stage, (channels, height, width); empty unless they were asked for.
    var features: [[Float]]
    /// The size that ran.
    var size: ImageSize
}

/// How long the parts of a request took, the longest of its images each.
struct Timings: Sendable {
    /// Waiting: to be decoded, to be run.
    var queue: Duration = .zero
    /// Decoding and preparing.
    var decode: Duration = .zero
    /// The run that the image was part of.
    var compute: Duration = .zero

    mutating func formMaximum(_ other: Timings) {
        queue = max(queue, other.queue)
        decode = max(decode, other.decode)
        compute = max(compute, other.compute)
    }
}

/// A request's images on their way through a model: collects what becomes of them, and answers once.
final class Job: Sendable {
    typealias Answer = (outputs: [ImageOutput], timings: Timings)

    private struct State {
        var outputs: [ImageOutput?]
        var missing: Int
        var timings = Timings()
        var result: Result<Answer, any Error>?
        var waiting: CheckedContinuation<Answer, any Error>?
    }

    let model: ServedModel
    let wantsFeatures: Bool
    private let state: Mutex<State>

    init(model: ServedModel, count: Int, wantsFeatures: Bool) {
        self.model = model
        self.wantsFeatures = wantsFeatures
        state = Mutex(State(outputs: Array(repeating: nil, count: count), missing: count))
    }

    /// Whether there is an answer: what is left of its images need not be done any more.
    var isDone: Bool { state.withLock { $0.result != nil } }

    /// The answer, when it is there.
    var answer: Answer {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiting = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }

    /// An image is done.
    func finish(_ image: Int, with output: ImageOutput, timings: Timings) {
        resume { state in
            state.outputs[image] = output
            state.missing -= 1
            state.timings.formMaximum(timings)
            guard state.missing == 0 else { return nil }
            return .success((state.outputs.map { $0! }, state.timings))
        }
    }

    /// The request fails: it is the first thing that went wrong that counts.
    func fail(_ error: any Error) {
        resume { _ in .failure(error) }
    }

    private func resume(_ body: (inout State) -> Result<Answer, any Error>?) {
        let waiting = state.withLock { state -> (CheckedContinuation<Answer, any Error>, Result<Answer, any Error>)? in
            guard state.result == nil, let result = body(&state) else { return nil }
            state.result = result
            defer { state.waiting = nil }
            return state.waiting.map { ($0, result) }
        }
        if let (continuation, result) = waiting { continuation.resume(with: result) }
    }
}
