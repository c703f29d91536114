import Foundation

/// Why the operating system refused something: an `errno` value.
public struct SystemError: LocalizedError, Sendable, Equatable, CustomStringConvertible {
    /// The `errno` value, for instance `ENOSPC` when the disk is full.
    public let code: Int32

    public init(code: Int32) { self.code = code }

    /// What the last failed call of this thread left behind. Read it before anything else is called.
    static var last: SystemError { SystemError(code: errno) }

    /// The system's message, for instance `No space left on device`.
    public var description: String { String(cString: strerror(code)) }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}
