import CETNet
import CETNetCheckpoint
import Foundation

/// Results to standard output, everything else to standard error. Nothing is held back in a buffer.
enum Console {
    /// Writes a result and a line break.
    /// - Throws: if standard output cannot be written, for instance because the disk is full.
    static func print(_ text: String) throws(Failure) {
        let problem = write(text + "\n", to: STDOUT_FILENO)
        guard problem == 0 else {
            throw Failure(status: .unusable, message: "standard output: \(String(cString: strerror(problem)))")
        }
    }

    /// Writes a message for the person at the terminal and a line break.
    static func report(_ text: String) {
        write(toStandardError: text + "\n")
    }

    /// Writes what is wrong with an image, which it is named by.
    static func report(_ error: any Error, of image: Image) {
        let message = error.localizedDescription
        report("Error: " + printable(message.hasPrefix(image.name) ? message : "\(image.name): \(message)"))
    }

    /// Writes to standard error as is. Where even that cannot be written there is nobody left to tell.
    static func write(toStandardError text: String) {
        _ = write(text, to: STDERR_FILENO)
    }

    /// Writes all of a text to a file descriptor; returns 0 or the number of what went wrong.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        Array(text.utf8).withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress!, rest.count)
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Whether a person looks at standard error.
    static var standardErrorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
