import CETNet
import Foundation

/// A model with random weights in a temporary directory, which also goes when the program is interrupted.
final class TemporaryModel {
    let url: URL
    private let interruptions: [any DispatchSourceSignal]

    /// Writes the model.
    init(_ configuration: ModelConfiguration, seed: UInt64) throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("cetnet-bench-\(UUID().uuidString)")
        self.url = url
        interruptions = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                try? FileManager.default.removeItem(at: url)
                // Ends the program as if the signal had not been caught, so that its parent sees why. To the process,
                // because this thread has signals blocked.
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.activate()
            return source
        }
        do {
            try configuration.writeRandomModel(seed: seed, to: url)
        } catch {
            remove()
            throw error
        }
    }

    /// Removes the files. Models loaded from them need them no longer.
    func remove() { try? FileManager.default.removeItem(at: url) }
}
