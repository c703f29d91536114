import Foundation

/// Memory of this process.
enum ProcessMemory {
    /// The most bytes that were resident at any time since the program started.
    ///
    /// On Linux that is `VmHWM` of `/proc/self/status`. What `getrusage` gives is the same number, except that a
    /// program started by a larger one inherits that one's peak; it is used where there is no such file.
    static var peakResidentBytes: Int {
        #if os(Linux)
            if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
                let bytes = peakResidentBytes(inStatus: status)
            {
                return bytes
            }
        #endif
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }

    /// Finds the peak in the text of Linux's `/proc/self/status`; `nil` if it is not there.
    static func peakResidentBytes(inStatus text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]) else { return nil }
            return kibibytes * 1024
        }
        return nil
    }
}
