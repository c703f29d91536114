import CETNet

/// An image that waits: to be decoded or, if it has numbers already, to be run.
struct Item: Sendable {
    let job: Job
    /// Its position in the request.
    let image: Int
    var input: ImageInput
    /// When the request was admitted.
    let arrival: ContinuousClock.Instant
    /// When it began to wait for what comes next.
    var since: ContinuousClock.Instant
    var timings = Timings()

    /// Images run together if these are equal.
    var kind: Kind { Kind(size: size, wantsFeatures: job.wantsFeatures) }

    struct Kind: Hashable {
        let size: ImageSize?
        let wantsFeatures: Bool
    }

    /// `nil` before it is decoded.
    var size: ImageSize? {
        if case .tensor(_, let size) = input { size } else { nil }
    }
}

/// What waits to be done, and the rule for what is done next. A value: the ``Scheduler`` guards it.
///
/// The rule never leaves a place idle while anything waits, so a lone image runs at once:
/// 1. chores, which are short;
/// 2. a run that is full, or whose oldest image has been ready for the longest wait;
/// 3. decoding, so that a run fills while others compute;
/// 4. whatever is ready.
struct WorkQueue {
    enum Work {
        case chore(@Sendable () -> Void)
        case decode(Item)
        case run([Item])
    }

    let largestBatch: Int
    let longestWait: Duration
    private var chores: [@Sendable () -> Void] = []
    private var encoded: [Item] = []
    /// By model, in order of arrival at this queue.
    private var ready: [[Item]]

    init(models: Int, largestBatch: Int, longestWait: Duration) {
        self.largestBatch = largestBatch
        self.longestWait = longestWait
        ready = Array(repeating: [], count: models)
    }

    /// Images that wait, of a model or of all.
    func count(of model: Int) -> Int {
        encoded.count { $0.job.model.index == model } + ready[model].count
    }
    var count: Int { encoded.count + ready.reduce(0) { $0 + $1.count } }
    var isEmpty: Bool { chores.isEmpty && count == 0 }

    mutating func append(_ chore: @escaping @Sendable () -> Void) { chores.append(chore) }

    mutating func append(_ item: Item) {
        if item.size == nil {
            encoded.append(item)
        } else {
            ready[item.job.model.index].append(item)
        }
    }

    /// Drops what is left of a request.
    mutating func remove(_ job: Job) {
        encoded.removeAll { $0.job === job }
        ready[job.model.index].removeAll { $0.job === job }
    }

    /// Takes what is to be done next.
    /// - Parameter places: how many places are idle: what is ready is shared among them.
    mutating func next(at now: ContinuousClock.Instant, places: Int) -> Work? {
        if !chores.isEmpty { return .chore(chores.removeFirst()) }
        let models = ready.indices.filter { !ready[$0].isEmpty }
        let due = models.filter { model in
            let head = ready[model][0]
            return now - head.since >= longestWait || ready[model].count { $0.kind == head.kind } >= largest(head)
        }
        func oldest(_ models: [Int]) -> Int? { models.min { ready[$0][0].arrival < ready[$1][0].arrival } }
        if let model = oldest(due) { return .run(takeBatch(of: model, places: places)) }
        if !encoded.isEmpty { return .decode(encoded.removeFirst()) }
        return oldest(models).map { .run(takeBatch(of: $0, places: places)) }
    }

    private mutating func takeBatch(of model: Int, places: Int) -> [Item] {
        let head = ready[model][0]
        let alike = ready[model].indices.filter { ready[model][$0].kind == head.kind }
        let share = (alike.count + places - 1) / places
        let taken = alike.prefix(min(share, largest(head)))
        let items = taken.map { ready[model][$0] }
        for index in taken.reversed() { ready[model].remove(at: index) }
        return items
    }

    /// The most images like this one that run together. Large ones fill the caches alone.
    private func largest(_ item: Item) -> Int {
        max(1, min(largestBatch, Self.pixelsPerRun / item.size!.area))
    }

    private static let pixelsPerRun = 16 * 224 * 224
}
