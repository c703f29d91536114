import ArgumentParser
import CETNet
import CETNetServer
import Foundation

/// Where and to whom it answers.
struct ListeningOptions: ParsableArguments {
    @Option(help: "The address to listen on; 0.0.0.0 for all. Anything but loopback wants a token and TLS.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for one that is free.")
    var port = 8000

    @Option(help: ArgumentHelp("A file with a token that requests must carry as a bearer token.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("The certificate chain for TLS, in PEM; with --tls-key.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The private key for TLS, in PEM.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "Log warnings and errors only, not each request.")
    var quiet = false

    var identity: ModelServer.Identity? {
        guard let tlsCertificate, let tlsKey else { return nil }
        return .init(certificates: tlsCertificate, key: tlsKey)
    }

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port); expected 0 to 65535.") }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
    }

    func token() throws -> String? {
        guard let tokenFile else { return nil }
        let text: String
        do {
            text = try String(contentsOfFile: tokenFile, encoding: .utf8)
        } catch {
            throw ValidationError("\(tokenFile): expected a file with a token; it cannot be read as text.")
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("\(tokenFile): expected one token without spaces.")
        }
        return token
    }
}

/// How it computes.
struct ComputingOptions: ParsableArguments {
    @Option(help: "Threads that compute, for all models together; every CPU that the process may use if not given.")
    var threads: Int?

    @Option(help: "What models are computed in: float32, bfloat16 or int8; what each is stored for if not given.")
    var precision: Precision?

    @Option(help: "The most images that run together.")
    var maxBatch = 8

    @Option(
        help: ArgumentHelp(
            "How long a ready image may wait for others that are being decoded to share its run.", valueName: "ms"))
    var maxWait = 5

    func validate() throws {
        try check("--threads", threads ?? 1, 1...64)
        try check("--max-batch", maxBatch, 1...64)
        try check("--max-wait", maxWait, 0...60_000)
    }

    func apply(to options: inout ServerOptions) {
        options.threads = threads
        options.precision = precision
        options.largestBatch = maxBatch
        options.longestWait = .milliseconds(maxWait)
    }
}

/// What requests may ask for.
struct LimitOptions: ParsableArguments {
    @Option(help: "The most images that wait; requests beyond are refused at once with status 503.")
    var maxQueue = 256

    @Option(help: ArgumentHelp("How long a request may take from its arrival to its answer.", valueName: "s"))
    var timeout = 30

    @Option(help: ArgumentHelp("How long a request may take to arrive, and an answer to be taken.", valueName: "s"))
    var transferTimeout = 30

    @Option(help: ArgumentHelp("How long a connection may stay without a request.", valueName: "s"))
    var idleTimeout = 60

    @Option(help: ArgumentHelp("The largest body of a request.", valueName: "MiB"))
    var maxBody = 64

    @Option(help: ArgumentHelp("The most pixels of a JPEG or PNG.", valueName: "pixels"))
    var maxPixels = 1 << 25

    @Option(
        help: ArgumentHelp(
            "The most pixels of an image that comes as a tensor; never less than the model's own size.",
            valueName: "pixels"))
    var maxTensorPixels = 1 << 18

    @Option(help: "The most connections at the same time; more wait to be accepted.")
    var maxConnections = 4096

    func validate() throws {
        try check("--max-queue", maxQueue, 1...65_536)
        try check("--timeout", timeout, 1...86_400)
        try check("--transfer-timeout", transferTimeout, 1...86_400)
        try check("--idle-timeout", idleTimeout, 1...86_400)
        try check("--max-body", maxBody, 1...4096)
        try check("--max-pixels", maxPixels, 1...1 << 30)
        try check("--max-tensor-pixels", maxTensorPixels, 1...1 << 24)
        try check("--max-connections", maxConnections, 1...1_000_000)
    }

    func apply(to options: inout ServerOptions) {
        options.queueCapacity = maxQueue
        options.requestTimeout = .seconds(timeout)
        options.transferTimeout = .seconds(transferTimeout)
        options.idleTimeout = .seconds(idleTimeout)
        options.largestBody = maxBody << 20
        options.largestImage = maxPixels
        options.largestTensor = maxTensorPixels
        options.largestConnectionCount = maxConnections
    }
}

private func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
        throw ValidationError("\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound).")
    }
}

extension Precision: @retroactive ExpressibleByArgument {}
