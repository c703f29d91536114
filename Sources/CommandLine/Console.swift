import Foundation

/// Results to standard output, everything else to standard error. Nothing is held back in a buffer.
enum Console {
    /// Writes a result and a line break.
    /// - Throws: if standard output cannot be written, for instance because the disk is full.
    static func print(_ text: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Writes a message for the person at the terminal and a line break.
    static func report(_ text: String) {
        write(toStandardError: text + "\n")
    }

    /// Writes to standard error as is. Where even that cannot be written there is nobody left to tell.
    static func write(toStandardError text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Whether a person looks at standard error.
    static var standardErrorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
