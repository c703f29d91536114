import Foundation

/// Records of one size in a temporary file without a name: what is too much for memory, for as long as this lives.
package final class Spool: Sendable {
    private let descriptor: Int32
    private let path: String
    package let recordBytes: Int

    /// An empty spool in the system's folder for temporary files (`TMPDIR`).
    /// - Throws: ``CheckpointError/cannotWrite(file:cause:)``.
    package init(recordBytes: Int) throws(CheckpointError) {
        self.recordBytes = recordBytes
        path = FileManager.default.temporaryDirectory.appendingPathComponent("cetnet-XXXXXX").path
        var template = path.utf8CString.map { $0 }
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .cannotWrite(file: path, cause: .last) }
        unlink(template)
    }

    deinit { close(descriptor) }

    /// Writes whole records from a position on. Different ones may be written by several threads at once.
    /// - Throws: ``CheckpointError/cannotWrite(file:cause:)``, for instance where the disk is full.
    package func write(_ bytes: UnsafeRawBufferPointer, at record: Int) throws(CheckpointError) {
        precondition(bytes.count % recordBytes == 0)
        try transfer(bytes.count, at: record) { pwrite(descriptor, bytes.baseAddress! + $0, $1, $2) }
    }

    /// Reads whole records that have been written.
    /// - Throws: ``CheckpointError/cannotWrite(file:cause:)`` where the file is damaged meanwhile.
    package func read(into bytes: UnsafeMutableRawBufferPointer, at record: Int) throws(CheckpointError) {
        precondition(bytes.count % recordBytes == 0)
        try transfer(bytes.count, at: record) { pread(descriptor, bytes.baseAddress! + $0, $1, $2) }
    }

    private func transfer(
        _ count: Int, at record: Int, _ call: (_ start: Int, _ count: Int, _ offset: off_t) -> Int
    ) throws(CheckpointError) {
        var done = 0
        while done < count {
            let result = call(done, count - done, off_t(record * recordBytes + done))
            if result > 0 {
                done += result
            } else if result == 0 || errno != EINTR {
                throw .cannotWrite(file: path, cause: result == 0 ? SystemError(code: EIO) : .last)
            }
        }
    }
}
