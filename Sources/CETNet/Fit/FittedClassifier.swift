import CETNetCheckpoint
import CETNetNetworks
import Foundation

/// A classifier that ``ClassifierFit`` found: the head of a new model, and what is known about it.
public struct FittedClassifier: Sendable, Equatable {
    /// One regularisation and how well it does on images that it has not seen.
    public struct Candidate: Sendable, Equatable {
        /// scikit-learn's `alpha`.
        public let regularization: Double
        /// The mean over images and labels of the squared leave-one-out errors of the targets ±1.
        public let squaredError: Double
    }

    /// How the classifier does on each of its images when it is fitted to all others: exactly, by formula.
    public struct LeaveOneOut: Sendable, Equatable {
        /// The share of images whose highest score is that of their label.
        public let top1: Double
        /// Mean negative logarithm of the probability of their label, in nats; weighted, where the fit is balanced.
        public let crossEntropy: Double
    }

    /// What the classes are called, by index.
    public let labels: [String]
    /// How many images it was fitted to.
    public let images: Int
    /// For each label the coefficients of its target ±1, as scikit-learn's `coef_`; of two labels the second's are.
    public let coefficients: [[Double]]
    /// For each label what is added, as scikit-learn's `intercept_`.
    public let intercepts: [Double]
    /// The regularisation that was picked.
    public let regularization: Double
    /// All candidates, in their order.
    public let path: [Candidate]
    /// What scores are divided by before softmax, so that it gives calibrated probabilities.
    public let temperature: Double
    /// How it does on images that it has not seen.
    public let leaveOneOut: LeaveOneOut

    /// The head's weight, (labels, dimension): coefficients over the temperature.
    public var weight: [Float] { coefficients.flatMap { $0.map { Float($0 / temperature) } } }

    /// The head's bias, (labels).
    public var bias: [Float] { intercepts.map { Float($0 / temperature) } }

    /// Writes a model of a backbone and this classifier, under this project's names: `config.json` and
    /// `model.safetensors`.
    /// - Parameters:
    ///   - backbone: any model or backbone that ``Model/init(contentsOf:options:)`` loads; its own classifier, if it has
    ///     one, is left out.
    ///   - directory: of the new model; made if need be.
    ///   - replacing: whether a model already in the directory may be replaced.
    /// - Throws: what loading the backbone throws, ``ModelError/shape(of:expected:found:)`` if its embeddings have
    ///   another dimension, ``ModelError/fileExists(path:)``, ``CheckpointError`` from writing.
    public func write(backboneAt backbone: URL, to directory: URL, replacing: Bool = false) throws {
        let parts = try parts(backboneAt: backbone)
        try parts.configuration.writeModel(
            parts.network.parameters.map(\.name), of: parts.weights, to: directory, replacing: replacing)
    }

    /// What a model of a backbone and this classifier consists of.
    func parts(
        backboneAt url: URL
    ) throws -> (configuration: ModelConfiguration, network: Network, weights: HeadedTensors) {
        let files = try ModelFiles(contentsOf: url)
        // What quantised weights give is not what they give in float32.
        try files.check(Model.Options(precision: .float32))
        guard files.configuration.task == .classification else {
            throw ModelError.task(files.configuration.task, expected: .classification)
        }
        var configuration = files.configuration
        let dimension = configuration.dims.last!
        guard coefficients[0].count == dimension else {
            throw ModelError.shape(
                of: "the classifier's coefficients", expected: "(\(labels.count), \(dimension)) for \(url.path)",
                found: [labels.count, coefficients[0].count])
        }
        configuration.setLabels(labels)
        let norm = try FinalNorm(of: configuration, weights: files.weights)
        let weights = HeadedTensors(
            backbone: files.weights,
            head: [
                FinalNorm.names[0]: ([dimension], norm.weight), FinalNorm.names[1]: ([dimension], norm.bias),
                "head.weight": ([labels.count, dimension], weight), "head.bias": ([labels.count], bias),
            ])
        return (configuration, try Network(configuration, source: url.path), weights)
    }
}

extension Model {
    /// A model of a backbone and a classifier that was fitted to its embeddings.
    /// - Throws: what ``init(contentsOf:options:)`` throws for the backbone, and
    ///   ``ModelError/shape(of:expected:found:)`` if its embeddings have another dimension.
    public convenience init(
        backboneAt url: URL, classifier: FittedClassifier, options: Options = Options()
    ) throws {
        let parts = try classifier.parts(backboneAt: url)
        try self.init(
            configuration: parts.configuration, network: parts.network, layout: nil, weights: parts.weights,
            options: options)
    }
}

/// The tensors of a backbone with another head.
struct HeadedTensors: TensorSource {
    let backbone: any TensorSource
    let head: [String: (shape: [Int], values: [Float])]

    var sourceName: String { backbone.sourceName }

    func shape(of name: String) -> [Int]? { head[name]?.shape ?? backbone.shape(of: name) }

    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        guard let own = head[name] else { return try backbone.read(name, into: destination) }
        _ = destination.initialize(fromContentsOf: own.values)
    }

    func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        guard let own = head[name] else { return try backbone.withValues(of: name, body) }
        return try own.values.withUnsafeBufferPointer(body)
    }
}
