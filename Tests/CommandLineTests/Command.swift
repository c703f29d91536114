import Foundation
import TestSupport

/// One run of the built `cetnet`.
struct Command {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Runs `cetnet` with arguments and waits for its end.
    init(_ arguments: String..., directory: URL? = nil, countingAllocations: Bool = false) throws {
        try self.init(arguments, directory: directory, countingAllocations: countingAllocations)
    }

    /// - Parameter countingAllocations: whether the library is preloaded that lets `cetnet bench` count.
    init(_ arguments: [String], directory: URL? = nil, countingAllocations: Bool = false) throws {
        let counter = Self.executable.deletingLastPathComponent().appendingPathComponent("libAllocationCounter.so")
        try self.init(
            executable: Self.executable, arguments, directory: directory,
            environment: countingAllocations ? ["LD_PRELOAD": counter.path] : [:])
    }

    /// Runs a line of shell in which `$0` is `cetnet`.
    init(shell line: String) throws {
        try self.init(
            executable: URL(fileURLWithPath: "/bin/sh"), ["-c", line, Self.executable.path], directory: nil,
            environment: [:])
    }

    private init(
        executable: URL, _ arguments: [String], directory: URL?, environment: [String: String]
    ) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // Files rather than pipes: no amount of output can block the program.
        let folder = try TemporaryDirectory()
        let streams = try ["output", "errors"].map { URL(fileURLWithPath: try folder.write([], to: $0)) }
        process.standardOutput = try FileHandle(forWritingTo: streams[0])
        process.standardError = try FileHandle(forWritingTo: streams[1])
        try process.run()
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        output = String(decoding: try Data(contentsOf: streams[0]), as: UTF8.self)
        // What a debug build says of itself belongs to no command.
        errors = String(decoding: try Data(contentsOf: streams[1]), as: UTF8.self)
            .replacing(#/cetnet: debug build: [^\n]*\n/#, with: "")
    }

    /// The program, which is built into the same folder as the tests.
    private static let executable: URL = {
        // The test program itself, or on some platforms a bundle inside that folder.
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent("cetnet")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        fatalError("no cetnet beside \(CommandLine.arguments[0])")
    }()
}
