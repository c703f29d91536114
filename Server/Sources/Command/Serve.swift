import ArgumentParser
import CETNet
import CETNetServer
import Foundation
import Hummingbird
import Logging

@main
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cetnet-serve",
        abstract: "Serve models over HTTP: the Open Inference Protocol, metrics, and a page to try them.",
        discussion: """
            Each folder in MODELS with config.json and model.safetensors is a model of that name; MODELS may also be \
            one such folder. The server answers on 127.0.0.1 unless --host says otherwise, and logs each request as a \
            line of JSON to standard error. SIGTERM and SIGINT end it after what it has begun is answered.

            The exit status is 0 if it was ended so, 2 if the call or a model cannot be used.

            EXAMPLES
              cetnet-serve models
              curl --data-binary @digit.png -H 'Inference-Header-Content-Length: 0' \\
                  http://127.0.0.1:8000/v2/models/digits/infer
            """,
        version: CETNetVersion.current)

    @Argument(help: "A folder of models.")
    var models: String

    @OptionGroup(title: "Listening") var listening: ListeningOptions
    @OptionGroup(title: "Computing") var computing: ComputingOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions

    func run() async throws {
        LoggingSystem.bootstrap { _ in JSONLogHandler() }
        var logger = Logger(label: "cetnet-serve")
        logger.logLevel = listening.quiet ? .warning : .info
        allowManyConnections()
        let options = try serverOptions()
        let repository = try ModelRepository(path: models, options: options)
        for folder in repository.skipped {
            logger.warning("left out: no config.json", metadata: ["folder": "\(folder)"])
        }
        let server = try ModelServer(repository, options: options, identity: listening.identity)
        let names = repository.models.map(\.name).joined(separator: ", ")
        let scheme = listening.identity == nil ? "http" : "https"
        let application = try server.application(host: listening.host, port: listening.port, logger: logger) { port in
            report("Serving \(names) on \(scheme)://\(listening.host):\(port)/ with \(server.threads) threads.")
        }
        try await application.runService()
    }

    private func serverOptions() throws -> ServerOptions {
        var options = ServerOptions()
        options.token = try listening.token()
        computing.apply(to: &options)
        limits.apply(to: &options)
        return options
    }

    /// Each connection is an open file; shells often allow programs only 1,024 at first.
    private func allowManyConnections() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch  where exitCode(for: error).isSuccess {
            print(fullMessage(for: error))
        } catch {
            report(fullMessage(for: error))
            Foundation.exit(2)
        }
    }
}

/// Writes a line for a person to standard error.
func report(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }
