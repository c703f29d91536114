import Foundation

/// A regular file mapped into memory for reading.
///
/// A mapping is only as good as the file behind it. A file that is *replaced* (by renaming another onto it, as this
/// package's writers do) goes on as it was. A file that another program *truncates in place* loses its last pages, and
/// touching one of those ends the process; no mapping can prevent that. Readers therefore call ``checkUnchanged()``
/// first, so that a file that has already shrunk is an error; only the moment between that check and the last access
/// remains. That is accepted: model files are not edited in place, and mapping them loads at the speed of memory.
package final class MappedFile: Sendable {
    /// What error messages call it.
    package let path: String
    /// Size in bytes when it was opened.
    package let count: Int
    // Mapped read-only and private for the life of this object: shared between threads without danger.
    nonisolated(unsafe) private let base: UnsafeMutableRawPointer?
    private let descriptor: Int32

    /// - Throws: ``CheckpointError`` if it cannot be opened or is not a regular file.
    package init(_ url: URL) throws {
        path = url.isFileURL ? url.path : url.absoluteString
        let path = path
        guard url.isFileURL else { throw CheckpointError.cannotOpen(file: path, cause: SystemError(code: EINVAL)) }
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let descriptor = url.withUnsafeFileSystemRepresentation { name in
            name.map { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        }
        guard let descriptor else { throw CheckpointError.cannotOpen(file: path, cause: SystemError(code: EINVAL)) }
        guard descriptor >= 0 else { throw CheckpointError.cannotOpen(file: path, cause: .last) }
        do {
            count = try Self.size(of: descriptor, path: path)
            if count == 0 {
                base = nil
            } else {
                let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
                guard address != MAP_FAILED else { throw CheckpointError.cannotOpen(file: path, cause: .last) }
                base = address
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        if let base { munmap(base, count) }
        close(descriptor)
    }

    /// Lends the bytes of the whole file; the pointer must not escape.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(start: base, count: count)) }
    }

    /// - Throws: ``CheckpointError/changedWhileReading(file:expectedBytes:foundBytes:)`` if the file's size is not what
    ///   it was when it was mapped.
    package func checkUnchanged() throws {
        let size = try Self.size(of: descriptor, path: path)
        guard size == count else {
            throw CheckpointError.changedWhileReading(file: path, expectedBytes: count, foundBytes: size)
        }
    }

    /// Gives the memory behind the mapping back to the system. Bytes read later come from the file again.
    package func releasePages() {
        if let base { madvise(base, count, MADV_DONTNEED) }
    }

    private static func size(of descriptor: Int32, path: String) throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw CheckpointError.cannotOpen(file: path, cause: .last) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CheckpointError.notARegularFile(file: path) }
        return Int(status.st_size)
    }
}
