import CETNet
import CETNetCheckpoint
import Foundation

/// Files and directories of results.
enum OutputFile {
    /// Writes a file, as a whole or not at all.
    static func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: path))
    }

    /// Ends the program with status 2 where a file cannot be written, before anything is measured in vain.
    static func check(_ paths: String?...) throws(Failure) {
        for case let path? in paths {
            let url = URL(fileURLWithPath: path)
            let folder = url.deletingLastPathComponent().path
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
                throw Failure(status: .unusable, message: "\(path): expected the name of a file, found a directory")
            }
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
            else {
                throw Failure(status: .unusable, message: "\(path): cannot be written: there is no directory \(folder)")
            }
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw Failure(status: .unusable, message: "\(path): cannot be written: no permission in \(folder)")
            }
        }
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
