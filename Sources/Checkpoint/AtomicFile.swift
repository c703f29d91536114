import Foundation

/// Writes a file so that its path always shows either the old content or the whole new one.
///
/// The bytes go to a temporary file in the same folder, reach the disk, and the temporary file is renamed. If anything
/// fails the temporary file is removed and an existing file stays as it was. Where the system can, the file has no name
/// until it is complete, so that nothing is left of a process that is killed.
package enum AtomicFile {
    /// Replaces or creates the file at `url` by what `body` writes.
    ///
    /// A symbolic link is followed. An existing path that is not a regular file, such as a device, is refused.
    /// - Throws: ``CheckpointError`` if the file cannot be written, and what `body` throws.
    package static func write(to url: URL, _ body: (FileWriter) throws -> Void) throws {
        let path = url.isFileURL ? url.path : url.absoluteString
        guard url.isFileURL, !path.utf8.contains(0) else {
            throw CheckpointError.cannotWrite(file: path, cause: SystemError(code: EINVAL))
        }
        let target = url.resolvingSymlinksInPath()
        var status = stat()
        if stat(target.path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw CheckpointError.notARegularFile(file: path)
        }
        let temporary = target.deletingLastPathComponent()
            .appendingPathComponent(".\(getpid())-\(UInt64.random(in: 0 ... .max)).tmp").path
        var descriptor = openNameless(in: target.deletingLastPathComponent().path)
        let isNameless = descriptor >= 0
        if !isNameless { descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else { throw CheckpointError.cannotWrite(file: path, cause: .last) }
        do {
            let writer = FileWriter(descriptor: descriptor, path: path)
            do {
                try body(writer)
                try writer.synchronize()
                // A link cannot replace a file; renaming can.
                if isNameless, linkat(AT_FDCWD, name(of: descriptor), AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) != 0 {
                    throw CheckpointError.cannotWrite(file: path, cause: .last)
                }
            } catch {
                close(descriptor)
                throw error
            }
            // Some file systems report a full disk only here.
            guard close(descriptor) == 0, rename(temporary, target.path) == 0 else {
                throw CheckpointError.cannotWrite(file: path, cause: .last)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// A descriptor of a new file that has no name, or −1 where the system has none.
    private static func openNameless(in folder: String) -> Int32 {
        #if os(Linux)
            // O_TMPFILE, which Swift does not see.
            let descriptor = open(folder, O_WRONLY | 0o20_000_000 | O_DIRECTORY | O_CLOEXEC, 0o666)
            // Without /proc it could not be given a name.
            if descriptor >= 0, access(name(of: descriptor), F_OK) != 0 {
                close(descriptor)
                return -1
            }
            return descriptor
        #else
            return -1
        #endif
    }

    private static func name(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// Replaces or creates the file at `url` with `data`.
    package static func write(_ data: Data, to url: URL) throws {
        try write(to: url) { writer in try data.withUnsafeBytes { try writer.write($0) } }
    }
}

/// Appends bytes to an open file.
package final class FileWriter {
    private let descriptor: Int32
    private let path: String

    /// - Parameter path: what error messages call the file.
    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Appends all of `bytes`.
    /// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Darwin)
                let written = Darwin.write(descriptor, rest.baseAddress!, rest.count)
            #else
                let written = Glibc.write(descriptor, rest.baseAddress!, rest.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw CheckpointError.cannotWrite(file: path, cause: .last)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Appends numbers in this machine's byte order.
    package func write(_ values: UnsafeBufferPointer<Float>) throws {
        try write(UnsafeRawBufferPointer(values))
    }

    /// Waits until everything written is on the disk.
    fileprivate func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw CheckpointError.cannotWrite(file: path, cause: .last) }
    }
}
