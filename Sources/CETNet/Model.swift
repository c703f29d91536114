import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetKernels
import CETNetMemory
import CETNetNetworks
import CETNetPreprocessing
import Foundation

/// A vision model, loaded and ready to run on the CPU.
///
/// ```swift
/// let model = try Model(path: "models/digits")
/// let predictions = try model.classify(.pixels(frame), top: 5)
/// ```
///
/// A model is immutable. Any number of threads and tasks may use one at the same time; each run has memory of its own
/// (see ``Options``). The result for an image does not depend on the images beside it in a batch, on the size of the
/// batch or on the number of threads: it is the same bit for bit.
///
/// Methods block the caller until the result is there. Those of ``async-swift.property`` have the same names and never
/// block Swift's cooperative thread pool; ``load(path:options:)`` is the initialiser's form.
///
/// Models are those of "Convolutional Embedding Makes Hierarchical Vision Transformer Stronger" (ECCV 2022,
/// arXiv 2207.13317).
public final class Model: Sendable {
    /// How a model uses the machine. Only ``precision`` has an influence on results, and ``backend`` within rounding.
    public struct Options: Sendable, Hashable {
        /// Which code multiplies matrices.
        public var backend: Backend
        /// What linear layers and dense convolutions are computed in. A checkpoint of any stored type runs in any, a
        /// quantised one in its own only. `nil`: what the configuration says, float32 unless the model is quantised.
        public var precision: Precision?
        /// Threads of one run, 1...64. `nil`: every CPU that this process may use, by its affinity and its cgroup's
        /// quota, at most 64.
        public var threads: Int?
        /// Runs at the same time, 1...64; more wait for their turn. Each needs working memory of its own, kept for
        /// the next run. `nil`: as many as fill the usable CPUs with ``threads`` each, so 1 when `threads` is `nil`.
        public var concurrency: Int?

        /// CPUs that this process may use, by its affinity and its cgroup's quota, at most 64: what ``threads`` is when
        /// it is `nil`. `ProcessInfo.activeProcessorCount` leaves the quota out.
        public static var usableThreads: Int { min(Processor.availableCount, Model.largestThreadCount) }

        /// Options; by default the fastest kernels on the whole machine.
        public init(
            backend: Backend = .automatic, precision: Precision? = nil, threads: Int? = nil,
            concurrency: Int? = nil
        ) {
            self.backend = backend
            self.precision = precision
            self.threads = threads
            self.concurrency = concurrency
        }
    }

    /// What the model is: widths, depths, labels, preprocessing.
    public let configuration: ModelConfiguration
    /// What the model takes: `image`, (batch, 3, height, width), normalised.
    public let inputs: [TensorDescription]
    /// Threads of one run.
    public let threads: Int
    /// Runs at the same time.
    public let concurrency: Int

    /// Whose names the tensors on disk have; see ``ModelSummary/layout``.
    let layout: String?
    let network: Network
    /// See ``ModelError/noClassifier(missing:)``; empty where there is a classifier.
    let missingClassifier: [String]
    let frozen: FrozenNetwork
    let finalNorm: FinalNorm
    let preprocessor: Preprocessor
    let sessions: SessionPool
    let background: BackgroundQueue

    /// Loads a model: a directory with `config.json` and `model.safetensors`, or a single `.safetensors` file whose
    /// metadata holds the configuration under the key `config`.
    ///
    /// The files may be those of other packages, as they are downloaded: Swin, CvT and PVT of Hugging Face Transformers
    /// with its `preprocessor_config.json`, and Swin of timm; in one file or in shards, with a classifier or as a
    /// backbone without (see ``hasClassifier``). Under this project's configuration the tensors may have
    /// the names of torchvision or of a backbone's authors.
    ///
    /// The weights are converted for this machine's kernels once, here; afterwards the file is no longer needed.
    /// - Throws: ``ModelError`` if there is no model; ``ConfigurationError`` for a configuration that cannot be used;
    ///   ``CheckpointError`` for a damaged weights file, and if the file does not hold exactly the tensors that the
    ///   configuration calls for; ``KernelTierError`` if the environment asks for instructions that the processor
    ///   lacks; ``BackendError`` if OpenBLAS is to multiply and is not installed.
    public convenience init(contentsOf url: URL, options: Options = Options()) throws {
        try self.init(ModelFiles(contentsOf: url), options: options)
    }

    convenience init(_ files: ModelFiles, options: Options) throws {
        try files.check(options)
        try self.init(
            configuration: files.configuration, network: files.network, layout: files.layout, weights: files.weights,
            missingClassifier: files.missingClassifier, isQuantized: files.isQuantized, options: options)
    }

    /// Loads a model at a path; see ``init(contentsOf:options:)``.
    public convenience init(path: String, options: Options = Options()) throws {
        try self.init(contentsOf: URL(fileURLWithPath: path), options: options)
    }

    /// Makes a model of a configuration with seeded random weights: for benchmarks and tests, it knows nothing.
    ///
    /// The same seed gives the same weights on every machine.
    public convenience init(
        configuration: ModelConfiguration, randomSeed seed: UInt64, options: Options = Options()
    ) throws {
        let network = try Network(configuration)
        try self.init(
            configuration: configuration, network: network, layout: nil,
            weights: SeededTensors(network: network, seed: seed), options: options)
    }

    /// Makes a model of a known variant (see ``Variant/all``) with seeded random weights.
    public convenience init(variant: String, randomSeed seed: UInt64, options: Options = Options()) throws {
        try self.init(
            configuration: ModelConfiguration(variant: variant), randomSeed: seed, options: options)
    }

    init(
        configuration: ModelConfiguration, network: Network, layout: String?, weights: some TensorSource,
        missingClassifier: [String] = [], isQuantized: Bool = false, options: Options
    ) throws {
        let usable = Options.usableThreads
        threads = try Self.check("threads", options.threads ?? usable)
        concurrency = try Self.check("concurrency", options.concurrency ?? max(1, usable / threads))
        self.configuration = configuration
        self.network = network
        self.layout = layout
        self.missingClassifier = missingClassifier
        let kernels = try KernelSet.selected()
        preprocessor = try Preprocessor(
            configuration.preprocess, imageSize: configuration.imageSize, kernels: kernels)
        let reference = ImageSize(square: configuration.imageSize)
        try InputLimits.check(reference)
        do {
            frozen = try FrozenNetwork(
                referenceSize: reference, weights: weights, backend: options.backend,
                precision: options.precision ?? configuration.precision, isQuantized: isQuantized, kernels: kernels,
                threads: threads, makeGraph: { network.graph(imageSize: $0) })
            finalNorm = try FinalNorm(of: configuration, weights: weights)
        } catch let error as OutOfMemoryError {
            throw ModelError.outOfMemory(bytes: error.bytes)
        }
        inputs = frozen.graph(size: reference).inputs.map {
            TensorDescription(name: $0.label, shape: [nil, $0.shape.channels, nil, nil], elementType: .f32)
        }
        sessions = SessionPool(network: frozen, threads: threads, limit: concurrency)
        // Twice as many as can run, so that images are decoded while others run.
        background = BackgroundQueue(width: 2 * concurrency)
    }

    /// OpenBLAS reserves memory for each thread that calls it, and has room for a limited number.
    static let largestThreadCount = 64

    static func check(_ name: String, _ value: Int) throws(ModelError) -> Int {
        guard (1...largestThreadCount).contains(value) else {
            throw .option(name: name, allowed: "1 to \(largestThreadCount)", found: value)
        }
        return value
    }

    /// Whether it has its head. A backbone that was saved without its head gives feature maps and embeddings only;
    /// whatever needs logits throws ``ModelError/noClassifier(missing:)``.
    public var hasClassifier: Bool { missingClassifier.isEmpty }

    /// Makes sure that there is a head and so logits, of whatever the model does.
    func requireHead() throws(ModelError) {
        guard hasClassifier else { throw .noClassifier(missing: missingClassifier) }
    }

    /// Makes sure that the model does what a call is for.
    func require(_ task: ModelConfiguration.Task) throws(ModelError) {
        guard configuration.task == task else { throw .task(configuration.task, expected: task) }
        try requireHead()
    }

    /// Trained scalars: weights, biases, scales and position biases, not the running statistics of BatchNorm.
    public var parameterCount: Int { network.parameterCount }

    /// Channels of an image.
    var inputChannels: Int { inputs[0].shape[1]! }

    /// Multiply-adds for one image of a size, what papers print as "FLOPs": convolutions, linear layers and the two
    /// products of attention. One multiply-add is two floating point operations.
    /// - Throws: ``ModelError/imageSize(_:allowed:)``.
    public func multiplyAdds(imageSize: ImageSize) throws(ModelError) -> Int {
        try InputLimits.check(imageSize)
        return frozen.graph(size: imageSize).multiplyAdds
    }

    /// The instruction-set tier of the kernels that it runs on, for instance `avx512`. The best that the processor has,
    /// unless the environment variable `CETNET_KERNELS` names another.
    public var kernelTier: String { frozen.kernels.name }

    /// What linear layers and dense convolutions are computed in.
    public var precision: Precision { frozen.precision }

    /// Whether this processor has instructions for products of ``precision`` in the vectors of ``kernelTier``. Without
    /// them the same numbers are computed more slowly.
    public var hasInstructionsForPrecision: Bool { frozen.kernels.hasInstructions(for: frozen.precision) }

    /// Bytes of weights held in memory, in the layout of the kernels.
    public var weightBytes: Int { frozen.weightBytes }
}
