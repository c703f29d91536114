import CETNet
import Foundation

/// The model that is measured: one on disk, or a variant with random weights in temporary files.
struct BenchSubject {
    /// As on the command line.
    let name: String
    let configuration: ModelConfiguration
    /// Trained numbers.
    let parameters: Int
    /// The seed of the weights; `nil` for a model on disk.
    let seed: UInt64?
    private let url: URL
    private let temporaryDirectory: URL?

    init(_ name: String, seed: UInt64) throws(Failure) {
        self.name = name
        if Variant.all.contains(where: { $0.name == name }) {
            let directory = FileManager.default.temporaryDirectory
                .appendingPathComponent("cetnet-bench-\(UUID().uuidString)")
            let configuration = try variantConfiguration(name)
            do {
                try Failure.wrap(.unusable) { try configuration.writeRandomModel(seed: seed, to: directory) }
            } catch {
                try? FileManager.default.removeItem(at: directory)
                throw error
            }
            (self.seed, url, temporaryDirectory) = (seed, directory, directory)
        } else {
            guard FileManager.default.fileExists(atPath: name) else {
                throw Failure(
                    status: .unusable, message: "\(name): no such file or directory, and \(unknownVariant(name))")
            }
            (self.seed, url, temporaryDirectory) = (nil, URL(fileURLWithPath: name), nil)
        }
        let location = url
        let summary = try Failure.wrap(.unusable) { try ModelSummary(contentsOf: location) }
        configuration = summary.configuration
        parameters = summary.parameters
    }

    /// Loads the model anew, and says how long that took in milliseconds.
    func load(backend: Backend, threads: Int) throws(Failure) -> (model: Model, milliseconds: Double) {
        try Failure.wrap(.unusable) {
            let start = ContinuousClock.now
            let model = try Model(
                contentsOf: url, options: Model.Options(backend: backend, threads: threads, concurrency: 1))
            return (model, start.duration(to: .now).milliseconds)
        }
    }

    func removeTemporaryFiles() {
        if let temporaryDirectory { try? FileManager.default.removeItem(at: temporaryDirectory) }
    }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
