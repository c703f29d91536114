import ArgumentParser
import CETNetCheckpoint
import CKernels

/// Numbers of processors on the command line, as `taskset --cpu-list` takes them: `0,2-3`.
struct ProcessorList: ExpressibleByArgument {
    let processors: [Int]

    init?(argument: String) {
        var processors: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends.last!, ends.count <= 2, first >= 0, first <= last, last < 1024
            else { return nil }
            processors += first...last
        }
        self.processors = processors
    }

    /// Keeps this thread, and all that it starts from now on, on these processors, or ends the program with status 2.
    func apply() throws(Failure) {
        let status = cetnet_pin_to_processors(processors.map(Int32.init), Int32(processors.count))
        guard status == 0 else {
            let list = processors.map(String.init).joined(separator: ",")
            throw Failure(status: .unusable, message: "--pin \(list): \(SystemError(code: status))")
        }
    }
}
