import Foundation

/// How busy the machine's processors are, with this program and with others.
struct ProcessorUse: Sendable {
    /// Processor time of all programs since the system started, in seconds; time that a hypervisor gave to other
    /// machines counts as busy. `nil` where the system does not say.
    private let allSeconds: Double?
    /// Processor time of this process.
    private let ownSeconds: Double
    private let time: ContinuousClock.Instant

    /// The state of now.
    static var now: ProcessorUse {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let all = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))
                .flatMap { busyTicks(inStatistics: $0) }.map { Double($0) / Double(sysconf(Int32(_SC_CLK_TCK))) }
        #else
            getrusage(RUSAGE_SELF, &usage)
            let all: Double? = nil
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return ProcessorUse(
            allSeconds: all, ownSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), time: .now)
    }

    /// How many processors others kept busy, on average, since an earlier state; `nil` where the system does not say.
    func processorsOfOthers(since earlier: ProcessorUse) -> Double? {
        guard let now = allSeconds, let before = earlier.allSeconds else { return nil }
        let elapsed = (time - earlier.time) / .seconds(1)
        guard elapsed > 0 else { return nil }
        return max(0, (now - before) - (ownSeconds - earlier.ownSeconds)) / elapsed
    }

    /// Busy clock ticks of all processors in the text of Linux's `/proc/stat`: user, nice, system, interrupts and
    /// what was stolen; guests are part of user.
    static func busyTicks(inStatistics text: String) -> Int? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return nil }
        let ticks = line.split(separator: " ").dropFirst().map { Int($0) }
        guard ticks.count >= 8, !ticks.contains(nil) else { return nil }
        let numbers = ticks.compactMap(\.self)
        let (idle, waiting) = (numbers[3], numbers[4])
        return numbers.prefix(8).reduce(0, +) - idle - waiting
    }

    /// Programs that wanted to run, averaged over the last minute.
    static var loadAverage: Double {
        var averages = [0.0, 0.0, 0.0]
        return getloadavg(&averages, 3) > 0 ? averages[0] : 0
    }
}
