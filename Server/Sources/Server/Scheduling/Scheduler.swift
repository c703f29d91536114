import CETNet
import CETNetImaging
import Dispatch
import Synchronization

/// Computes for all models and connections, on as many threads as the process has CPUs.
///
/// Every place is one thread: it decodes an image or runs a batch. An image that comes while all places are idle runs on
/// all of them together, for the shortest answer; otherwise each place runs a batch of its own, for the most images per
/// second. Results are the same bit for bit.
final class Scheduler: Sendable {
    private struct State {
        var queue: WorkQueue
        var idle: [Int]
        var isStopped = false
    }

    /// What one or all places do.
    private struct Assignment {
        let place: Int?
        let work: WorkQueue.Work
    }

    let threads: Int
    private let options: ServerOptions
    private let metrics: ServerMetrics
    private let places: [Place]
    /// All places as one; `nil` where there is one anyway.
    private let whole: Place?
    private let state: Mutex<State>
    private let threadsOfPlaces = DispatchQueue(label: "cetnet-serve", qos: .userInitiated, attributes: .concurrent)

    /// - Throws: `ModelError` for a number of threads that cannot be, or where there is no memory.
    init(_ repository: ModelRepository, options: ServerOptions, metrics: ServerMetrics) throws {
        self.options = options
        self.metrics = metrics
        threads = options.threads ?? Model.Options.usableThreads
        let models = repository.models
        let decoder = ImageDecoder(maximumPixels: options.largestImage, maximumBytes: options.largestBody)
        places = try (0..<threads).map { _ in
            try Place(models: models, threads: 1, batch: options.largestBatch, decoder: decoder)
        }
        whole = threads > 1 ? try Place(models: models, threads: threads, batch: 1, decoder: decoder) : nil
        state = Mutex(
            State(
                queue: WorkQueue(
                    models: models.count, largestBatch: options.largestBatch, longestWait: options.longestWait),
                idle: Array(0..<threads)))
    }

    /// Images that wait, of a model.
    func queueLength(of model: ServedModel) -> Int { state.withLock { $0.queue.count(of: model.index) } }

    /// Runs a request's images through a model.
    /// - Throws: ``ServingError/busy`` at once if the queue has no room for them; ``ServingError/timeout`` at the
    ///   deadline; `CancellationError` if the task is cancelled; what is wrong with the first image that cannot be run.
    func run(
        _ images: [ImageInput], on model: ServedModel, features: Bool, deadline: ContinuousClock.Instant
    ) async throws -> Job.Answer {
        let job = Job(model: model, count: images.count, wantsFeatures: features)
        let now = ContinuousClock.now
        let assignments = try state.withLock { state in
            guard state.queue.count + images.count <= options.queueCapacity else { throw ServingError.busy }
            for (index, input) in images.enumerated() {
                state.queue.append(Item(job: job, image: index, input: input, arrival: now, since: now))
            }
            return assign(&state)
        }
        perform(assignments)
        let timer = Task {
            try await Task.sleep(until: deadline)
            abandon(job, ServingError.timeout)
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await job.answer
        } onCancel: {
            abandon(job, CancellationError())
        }
    }

    /// Does something that takes a moment on the threads that compute, so that those that talk to clients stay free.
    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            perform(
                state.withLock { state in
                    state.queue.append { continuation.resume(with: Result(catching: work)) }
                    return assign(&state)
                })
        }
    }

    /// What is left of a request is not done any more.
    private func abandon(_ job: Job, _ error: any Error) {
        job.fail(error)
        state.withLock { $0.queue.remove(job) }
    }

    /// Gives idle places something to do.
    private func assign(_ state: inout State) -> [Assignment] {
        var assignments: [Assignment] = []
        while !state.idle.isEmpty, let work = state.queue.next(at: .now, places: state.idle.count) {
            if whole != nil, state.idle.count == threads, state.queue.isEmpty, case .run = work {
                state.idle = []
                assignments.append(Assignment(place: nil, work: work))
            } else {
                assignments.append(Assignment(place: state.idle.removeLast(), work: work))
            }
        }
        return assignments
    }

    private func perform(_ assignments: [Assignment]) {
        for assignment in assignments {
            threadsOfPlaces.async { [self] in
                carryOut(assignment)
                perform(
                    state.withLock { state in
                        state.idle += assignment.place.map { [$0] } ?? Array(0..<threads)
                        return assign(&state)
                    })
            }
        }
    }

    private func carryOut(_ assignment: Assignment) {
        let place = assignment.place.map { places[$0] } ?? whole!
        switch assignment.work {
        case .chore(let chore): chore()
        case .decode(let item): decode(item, at: place)
        case .run(let items): run(items.filter { !$0.job.isDone }, at: place)
        }
    }

    private func decode(_ item: Item, at place: Place) {
        guard case .encoded(let bytes) = item.input, !item.job.isDone else { return }
        let start = ContinuousClock.now
        do {
            var item = item
            item.input = try place.decode(bytes, name: "image \(item.image)", for: item.job.model)
            item.since = .now
            item.timings.queue = start - item.arrival
            item.timings.decode = item.since - start
            metrics.decoded(item)
            state.withLock { $0.queue.append(item) }
        } catch {
            fail([item], error)
        }
    }

    private func run(_ items: [Item], at place: Place) {
        guard let first = items.first, let size = first.size else { return }
        let images = items.compactMap { if case .tensor(let values, _) = $0.input { values } else { nil } }
        let start = ContinuousClock.now
        do {
            let outputs = try place.run(
                images, size: size, on: first.job.model, features: first.job.wantsFeatures)
            let compute = ContinuousClock.now - start
            metrics.ran(items, from: start, compute: compute)
            for (item, output) in zip(items, outputs) {
                var timings = item.timings
                timings.queue += start - item.since
                timings.compute = compute
                item.job.finish(item.image, with: output, timings: timings)
            }
        } catch {
            fail(items, error)
        }
    }

    private func fail(_ items: [Item], _ error: any Error) {
        for item in items {
            item.job.fail(error)
            // The rest of its images need not be done.
            state.withLock { $0.queue.remove(item.job) }
        }
    }
}
