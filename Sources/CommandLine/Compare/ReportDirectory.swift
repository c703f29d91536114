import CETNetCheckpoint
import Foundation

/// The directory that a comparison's report goes to.
struct ReportDirectory {
    private let url: URL

    /// Makes the directory if it is not there, before anything is measured in vain.
    init(_ path: String) throws(Failure) {
        url = URL(fileURLWithPath: path, isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw Failure(status: .unusable, message: "\(path): \(error.localizedDescription)")
        }
        guard FileManager.default.isWritableFile(atPath: url.path) else {
            throw Failure(status: .unusable, message: "\(path): the directory cannot be written to")
        }
    }

    /// Writes every file of the report, each so that it is there as a whole or not at all.
    func write(_ comparison: Comparison) throws {
        for (name, text) in ComparisonReport.files(comparison) {
            try Self.write(text, to: url.appendingPathComponent(name).path)
        }
    }

    /// Writes one file, as a whole or not at all.
    static func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: path))
    }
}
