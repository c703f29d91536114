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
    private let temporary: TemporaryModel?

    init(_ name: String, seed: UInt64) throws(Failure) {
        self.name = name
        if Variant.all.contains(where: { $0.name == name }) {
            let configuration = try variantConfiguration(name)
            let written = try Failure.wrap(.unusable) { try TemporaryModel(configuration, seed: seed) }
            (self.seed, url, temporary) = (seed, written.url, written)
        } else {
            guard FileManager.default.fileExists(atPath: name) else {
                throw Failure(
                    status: .unusable, message: "\(name): no such file or directory, and \(unknownVariant(name))")
            }
            (self.seed, url, temporary) = (nil, URL(fileURLWithPath: name), nil)
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

    func removeTemporaryFiles() { temporary?.remove() }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
