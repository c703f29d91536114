import Foundation

/// What the process holds, by /proc.
struct Usage {
    var residentMiB = 0.0
    /// The most that it has ever held.
    var peakMiB = 0.0
    var threads = 0
    var descriptors = 0

    static func now() -> Usage {
        var usage = Usage()
        for line in text("/proc/self/status").split(separator: "\n") {
            let words = line.split { " \t".contains($0) }
            guard words.count > 1, let number = Double(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": usage.residentMiB = number / 1024
            case "VmHWM:": usage.peakMiB = number / 1024
            case "Threads:": usage.threads = Int(number)
            default: break
            }
        }
        usage.descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        return usage
    }

    /// Starts the peak again.
    static func forgetPeak() { try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
