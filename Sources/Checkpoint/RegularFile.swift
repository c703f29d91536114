import CETNetMemory
import Foundation

/// A regular file opened for reading.
///
/// Its parts are read, not mapped into memory: where another program truncates a mapped file, touching what is gone ends
/// the process, and no check beforehand can prevent that. What is read goes straight to where it is packed from, so a
/// model loads as fast. A file that is *replaced* (by renaming another onto it, as this package's writers do) goes on as
/// it was; one that is changed in place is an error.
package final class RegularFile: Sendable {
    /// What error messages call it.
    package let path: String
    /// Size in bytes when it was opened.
    package let count: Int
    private let descriptor: Int32
    private let modified: Modification

    /// When a file was last written to.
    private struct Modification: Equatable {
        let seconds: Int
        let nanoseconds: Int
    }

    /// - Throws: ``CheckpointError`` if it cannot be opened or is not a regular file.
    package init(_ url: URL) throws(CheckpointError) {
        path = url.isFileURL ? url.path : url.absoluteString
        guard url.isFileURL else { throw CheckpointError.cannotOpen(file: path, cause: SystemError(code: EINVAL)) }
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let opened = url.withUnsafeFileSystemRepresentation { name in
            name.map { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        }
        guard let opened else { throw CheckpointError.cannotOpen(file: path, cause: SystemError(code: EINVAL)) }
        guard opened >= 0 else { throw CheckpointError.cannotOpen(file: path, cause: .last) }
        do {
            (count, modified) = try Self.state(of: opened, path: path)
        } catch {
            close(opened)
            throw error
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Reads the bytes from `offset` on, as many as there is room for.
    /// - Throws: ``CheckpointError/changedWhileReading(file:expectedBytes:foundBytes:)`` or
    ///   ``CheckpointError/contentsChanged(file:)`` if the file is no longer what it was when it was opened;
    ///   ``CheckpointError/cannotOpen(file:cause:)`` if it cannot be read.
    package func read(from offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(CheckpointError) {
        var filled = 0
        while filled < destination.count {
            let result = pread(
                descriptor, destination.baseAddress! + filled, destination.count - filled, off_t(offset + filled))
            if result > 0 {
                filled += result
            } else if result == 0 {
                let (size, _) = try Self.state(of: descriptor, path: path)
                throw .changedWhileReading(file: path, expectedBytes: count, foundBytes: size)
            } else if errno != EINTR {
                throw .cannotOpen(file: path, cause: .last)
            }
        }
        // After reading: what was read before a change is as good as the rest.
        let (size, modified) = try Self.state(of: descriptor, path: path)
        guard size == count else {
            throw .changedWhileReading(file: path, expectedBytes: count, foundBytes: size)
        }
        guard modified == self.modified else { throw .contentsChanged(file: path) }
    }

    /// The bytes of a range of the file.
    /// - Throws: what ``read(from:into:)`` throws; ``OutOfMemoryError``.
    package func bytes(_ range: Range<Int>) throws -> [UInt8] {
        try [UInt8](count: range.count) { try read(from: range.lowerBound, into: UnsafeMutableRawBufferPointer($0)) }
    }

    private static func state(of descriptor: Int32, path: String) throws(CheckpointError) -> (Int, Modification) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw CheckpointError.cannotOpen(file: path, cause: .last) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CheckpointError.notARegularFile(file: path) }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return (Int(status.st_size), Modification(seconds: time.tv_sec, nanoseconds: time.tv_nsec))
    }
}
