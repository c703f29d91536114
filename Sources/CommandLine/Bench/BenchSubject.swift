import CETNet
import CETNetCheckpoint
import Foundation

/// The model that is measured: one on disk, or one with random weights in temporary files.
struct BenchSubject {
    let model: ModelArgument
    /// As on the command line.
    var name: String { model.text }
    let configuration: ModelConfiguration
    /// Trained numbers.
    let parameters: Int
    /// The seed of the weights; `nil` for a model on disk.
    let seed: UInt64?
    private let files: ModelSource
    private let temporary: TemporaryModel?

    init(_ model: ModelArgument, seed: UInt64) throws(Failure) {
        self.model = model
        let source = try model.source()
        if case .random(let configuration) = source {
            let written = try Failure.wrap(.unusable) { try TemporaryModel(configuration, seed: seed) }
            (self.seed, files, temporary) = (seed, .files(written.url), written)
        } else {
            (self.seed, files, temporary) = (nil, source, nil)
        }
        let summary = try files.summary()
        configuration = summary.configuration
        parameters = summary.parameters
    }

    /// Loads the model anew, and says how long that took in milliseconds.
    func load(
        backend: Backend, precision: Precision?, threads: Int
    ) throws(Failure) -> (model: Model, milliseconds: Double) {
        let options = Model.Options(backend: backend, precision: precision, threads: threads, concurrency: 1)
        let start = ContinuousClock.now
        let model = try files.load(options, seed: 0)
        return (model, start.duration(to: .now).milliseconds)
    }

    func removeTemporaryFiles() { temporary?.remove() }
}
