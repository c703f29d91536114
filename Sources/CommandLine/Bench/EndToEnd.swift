import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation

/// The way from the bytes of image files to labels, one image after the other, each part told apart.
struct EndToEnd {
    /// The files, read beforehand: disks are not measured.
    struct Images {
        fileprivate let files: [(path: String, bytes: Data)]
        var isEmpty: Bool { files.isEmpty }

        /// Reads and decodes the files, or ends the program with status 2.
        init(_ paths: [String]) throws(Failure) {
            files = try Failure.wrap(.unusable) {
                try paths.map { path in
                    _ = try ImageDecoder().decode(contentsOfFile: path)
                    return (path, try Data(contentsOf: URL(fileURLWithPath: path)))
                }
            }
        }
    }

    private let threads: Int
    private let images: Int
    /// Milliseconds per image, in the order of the way; the last is the whole.
    private let parts: [(name: String, key: String, times: Distribution)]

    init(_ model: Model, _ images: Images, _ duration: Workload.Duration, warmup: Int) throws {
        (threads, self.images) = (model.threads, images.files.count)
        let decoder = ImageDecoder()
        let logs = (0..<4).map { _ in TimeLog(duration) }
        func run(_ index: Int, _ record: Bool) throws {
            let bytes = images.files[index % images.files.count].bytes
            let start = ContinuousClock.now
            let pixels = try bytes.withUnsafeBytes { try decoder.decode($0) }
            let decoded = ContinuousClock.now
            let tensor = try model.preprocess(.pixels(pixels))
            let prepared = ContinuousClock.now
            _ = try model.classify(tensor)
            let end = ContinuousClock.now
            guard record else { return }
            let times = [(start, decoded), (decoded, prepared), (prepared, end), (start, end)]
            for (log, time) in zip(logs, times) { log.append(time.0.duration(to: time.1).milliseconds) }
        }
        for index in 0..<max(1, warmup) { try run(index, false) }
        let start = ContinuousClock.now
        var index = 0
        while logs[3].wantsMore(since: start) {
            try run(index, true)
            index += 1
        }
        let names = [("decode", "decode"), ("preprocess", "preprocess"), ("run", "run"), ("end to end", "end_to_end")]
        parts = zip(names, logs).map { ($0.0, $0.1, Distribution($1.values)) }
    }

    var text: String {
        let whole = parts[3].times.median
        let head =
            "end to end, \(images) image\(images == 1 ? "" : "s"), one after the other, "
            + "\(threads) thread\(threads == 1 ? "" : "s"), \(parts[3].times.count) runs"
        return
            ([head]
            + parts.map { part in
                "  " + part.name.padding(toLength: 15, withPad: " ", startingAt: 0)
                    + String(
                        format: "median %.2f, P90 %.2f ms, %.1f %%", part.times.median, part.times.percentile(90),
                        part.times.median / whole * 100)
            } + [String(format: "  speed          %.2f images/s", 1000 / whole)]).joined(separator: "\n")
    }

    var json: JSONValue {
        .object(
            [.init("threads", .integer(threads)), .init("images", .integer(images))]
                + parts.flatMap { part -> [JSONValue.Member] in
                    [
                        .init(part.key + "_median_ms", .rounded(part.times.median)),
                        .init(part.key + "_p90_ms", .rounded(part.times.percentile(90))),
                    ]
                })
    }
}
