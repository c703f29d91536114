import CETNet
public import Foundation
public import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOSSL

/// Models behind HTTP: the Open Inference Protocol, metrics and a page to try them.
public struct ModelServer: Sendable {
    /// The certificate chain and the key of a server that speaks TLS, files in PEM.
    public struct Identity: Sendable {
        let certificates: String
        let key: String

        public init(certificates: String, key: String) { (self.certificates, self.key) = (certificates, key) }
    }

    /// Threads that compute.
    public var threads: Int { state.scheduler.threads }
    private let state: ServerState
    private let identity: Identity?

    /// Prepares models for serving: makes a session of each for each thread.
    /// - Throws: `ModelError` where there is no memory.
    public init(_ repository: ModelRepository, options: ServerOptions, identity: Identity? = nil) throws {
        let metrics = ServerMetrics(repository)
        state = ServerState(
            repository: repository, scheduler: try Scheduler(repository, options: options, metrics: metrics),
            options: options, metrics: metrics)
        self.identity = identity
    }

    /// The server as a service, which answers what it has begun before it ends.
    /// - Throws: ``IdentityError``.
    public func application(
        host: String = "127.0.0.1", port: Int = 8000, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let options = state.options
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: AccessLog(metrics: state.metrics))
        router.add(middleware: Admission(token: options.token))
        router.addRoutes(state)
        let http = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [ConnectionGuard(timeout: options.transferTimeout)],
                idleTimeout: .init(options.idleTimeout),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: options.largestHeader, maxHeaderListSize: options.largestHeader,
                    maxHeaderFieldCount: 100)))
        return Application(
            router: router, server: try identity.map { try .tls(http, tlsConfiguration: $0.tls()) } ?? http,
            configuration: .init(
                address: .hostname(host, port: port), serverName: "cetnet-serve", backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(options.largestConnectionCount)),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }
}

extension ModelServer.Identity {
    fileprivate func tls() throws -> TLSConfiguration {
        func read<Value>(_ path: String, _ what: String, _ body: (String) throws -> Value) throws -> Value {
            do { return try body(path) } catch { throw IdentityError(path: path, expected: what) }
        }
        return .makeServerConfiguration(
            certificateChain: try read(certificates, "certificates") {
                try NIOSSLCertificate.fromPEMFile($0).map { .certificate($0) }
            },
            privateKey: .privateKey(try read(key, "a private key") { try NIOSSLPrivateKey(file: $0, format: .pem) }))
    }
}

/// A file of a server's identity cannot be used.
public struct IdentityError: Error, Equatable, LocalizedError, CustomStringConvertible {
    /// The file.
    public let path: String
    /// What should be in it.
    public let expected: String

    /// What is wrong, in words for a person.
    public var description: String { "\(path): expected \(expected) in PEM; there is no such file, or none in it" }
    /// The same as ``description``.
    public var errorDescription: String? { description }
}
