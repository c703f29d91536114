import CETNetCheckpoint
import Foundation

/// The figures of an earlier run, to compare new ones with.
struct BenchBaseline {
    private let path: String
    /// The earlier medians in milliseconds.
    private let medians: [String: Double]

    /// Reads a file that `cetnet bench --json` wrote, or ends the program with status 2.
    init(path: String) throws(Failure) {
        func wrong(_ reason: String) -> Failure {
            Failure(status: .unusable, message: "\(path): \(reason); expected what cetnet bench --json wrote")
        }
        let data = try Failure.wrap(.unusable) { try Data(contentsOf: URL(fileURLWithPath: path)) }
        guard let json = try? data.withUnsafeBytes({ try JSONValue($0) }), case .array(let results)? = json["results"]
        else { throw wrong("no \"results\"") }
        var medians: [String: Double] = [:]
        for result in results {
            guard let median = result["median_ms"]?.double, median > 0, let key = Self.key({ result[$0] }) else {
                throw wrong("a result without median_ms, model, image_size, batch or threads")
            }
            medians[key] = median
        }
        (self.path, self.medians) = (path, medians)
    }

    /// What has become of each median, line by line; the end of the program with status 3 if one is slower.
    func verdict(_ results: [BenchResult], percent: Double) throws(Failure) -> String {
        var lines = ["against \(path), \(percent.formatted()) % allowed"]
        var slower = 0
        for result in results {
            let fields = result.fields
            let name = Self.key { key in fields.first { $0.key == key }?.value }!
            guard let before = medians[name] else {
                lines.append("  \(name): not in the baseline")
                continue
            }
            let times = result.figures.times
            let isSlower = times.median > before * (1 + percent / 100) && times.percentile(10) > before
            slower += isSlower ? 1 : 0
            lines.append(
                "  \(name): "
                    + String(
                        format: "median %.2f ms, was %.2f (%+.1f %%)", times.median, before,
                        (times.median / before - 1) * 100) + (isSlower ? ", SLOWER" : ""))
        }
        guard slower == 0 else {
            throw Failure(status: .slower, message: lines.joined(separator: "\n"))
        }
        return lines.joined(separator: "\n")
    }

    /// What makes two results comparable.
    private static func key(_ value: (String) -> JSONValue?) -> String? {
        guard case .string(let model)? = value("model"), case .string(let size)? = value("image_size"),
            case .integer(let batch)? = value("batch"), case .integer(let threads)? = value("threads")
        else { return nil }
        // Earlier files say nothing of sessions where there is one.
        let sessions = if case .integer(let count)? = value("sessions"), count > 1 { ", \(count) sessions" } else { "" }
        return "\(model), \(size), batch \(batch), \(threads) thread\(threads == 1 ? "" : "s")\(sessions)"
    }
}

extension JSONValue {
    /// The value of an object's key.
    fileprivate subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// A number, however it is written.
    fileprivate var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
