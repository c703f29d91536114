internal import CETNetMemory
import Foundation

/// Reading a whole file, of which no more than its first bytes are believed.
enum ImageFile {
    /// The file's bytes.
    ///
    /// A file that does not start like JPEG or PNG is refused before the rest is read. What is no regular file, a
    /// pipe for example, is read until it ends.
    ///
    /// - Parameter name: the path in bytes, where it is not UTF-8; `path` is then only what errors call it.
    static func read(_ path: String, name: [UInt8]? = nil, maximumBytes: Int) throws -> [UInt8] {
        let descriptor = (name ?? Array(path.utf8) + [0]).withUnsafeBytes {
            open($0.bindMemory(to: CChar.self).baseAddress!, O_RDONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw errno == ENOENT ? ImageError.notFound(source: path) : unreadable(path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(path) }
        let size = max(Int(status.st_size), 0)
        guard size <= maximumBytes else {
            throw ImageError.tooManyBytes(source: path, maximumBytes: maximumBytes)
        }

        var bytes = try read(upTo: FileFormat.prefixLength, from: descriptor, path)
        if case .other(let format) = bytes.withUnsafeBytes(FileFormat.init) {
            throw ImageError.unsupportedFormat(source: path, format: format)
        }
        do throws(OutOfMemoryError) { try Memory.require(size, of: UInt8.self) } catch {
            throw ImageError.outOfMemory(source: path, bytes: error.bytes)
        }
        bytes.reserveCapacity(size)
        // The size is only what to expect: pipes have none, and a file may grow or shrink meanwhile.
        while true {
            let chunk = try read(upTo: min(max(size - bytes.count, 1 << 16), 1 << 20), from: descriptor, path)
            if chunk.isEmpty { return bytes }
            guard bytes.count + chunk.count <= maximumBytes else {
                throw ImageError.tooManyBytes(source: path, maximumBytes: maximumBytes)
            }
            bytes += chunk
        }
    }

    /// `count` bytes, fewer only at the end of the file.
    private static func read(upTo count: Int, from descriptor: Int32, _ path: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let result = Foundation.read(descriptor, buffer.baseAddress! + filled, count - filled)
                if result == 0 { break }
                if result > 0 {
                    filled += result
                } else if errno != EINTR {
                    throw unreadable(path)
                }
            }
        }
    }

    private static func unreadable(_ path: String) -> ImageError {
        .unreadable(source: path, reason: String(cString: strerror(errno)))
    }
}
