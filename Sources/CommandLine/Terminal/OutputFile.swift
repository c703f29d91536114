import CETNet
import CETNetCheckpoint
import Foundation

/// Files and directories of results.
enum OutputFile {
    /// Writes a file, as a whole or not at all.
    static func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: path))
    }

    /// A directory that can be written to, made with those above it if it is not there; else the end of the program with
    /// status 2.
    static func directory(_ path: String) throws(Failure) -> URL {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        try Failure.wrap(.unusable) { try makeDirectory(at: url) }
        guard FileManager.default.isWritableFile(atPath: url.path) else {
            throw Failure(status: .unusable, message: "\(path): the directory cannot be written to")
        }
        return url
    }
}
