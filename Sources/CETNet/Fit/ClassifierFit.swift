import CETNetCheckpoint
import CETNetEngine
import CETNetMemory
import Foundation

/// Fits a classifier to embeddings, in closed form: ridge regression on targets of ±1, its regularisation chosen by exact
/// leave-one-out, its probabilities calibrated by a temperature.
///
/// ```swift
/// let backbone = try Model(path: "cetnet-t")
/// let fit = try ClassifierFit(labels: ["cat", "dog"], dimension: backbone.embeddingDimension)
/// try fit.add(backbone.embeddings(images), labels: [0, 1, 1, 0])
/// let model = try Model(backboneAt: URL(fileURLWithPath: "cetnet-t"), classifier: fit.solve())
/// ```
///
/// `Documentation/Fit.md` has the formulas. The result is that of scikit-learn's `RidgeClassifierCV` on the same
/// embeddings and grid, and does not depend on batches or threads. Embeddings wait in a temporary file (`TMPDIR`), so
/// that memory does not grow with their number. One thread uses a fit at a time.
public final class ClassifierFit {
    /// How strongly coefficients are held down.
    public enum Regularization: Sendable, Hashable {
        /// The best of fifteen values, half a decade apart, from 10⁻⁵ to 10² times the mean eigenvalue of the
        /// embeddings' scatter matrix.
        case automatic
        /// The best of these, all positive; scikit-learn's `alphas`.
        case best(of: [Double])

        /// This one.
        public static func fixed(_ value: Double) -> Regularization { .best(of: [value]) }
    }

    /// What the classes are called, by index.
    public let labels: [String]
    /// How many numbers an embedding has.
    public let dimension: Int
    /// How many embeddings have been added.
    public private(set) var count = 0

    let threads: Int
    /// For each image its embedding, and behind it its label.
    let images: Spool
    /// Of each label.
    private(set) var imagesOfLabel: [Int]
    /// Whether there are two embeddings that differ.
    private(set) var hasDifference = false
    private var first: [Float] = []

    /// A fit without embeddings.
    /// - Parameters:
    ///   - labels: what the classes are called, two or more.
    ///   - dimension: how many numbers an embedding has; see ``Model/embeddingDimension``.
    ///   - threads: how many threads solve, 1...64; `nil`: every CPU that this process may use.
    /// - Throws: ``ClassifierFitError/tooFewLabels(_:)``, ``ModelError/option(name:allowed:found:)``;
    ///   ``CheckpointError`` if there is no temporary file.
    public init(labels: [String], dimension: Int, threads: Int? = nil) throws {
        guard labels.count >= 2 else { throw ClassifierFitError.tooFewLabels(labels) }
        guard (1...8192).contains(dimension) else {
            throw ModelError.option(name: "dimension", allowed: "1 to 8192", found: dimension)
        }
        self.labels = labels
        self.dimension = dimension
        self.threads = try Model.check("threads", threads ?? min(Processor.availableCount, Model.largestThreadCount))
        images = try Spool(recordBytes: (dimension + 1) * MemoryLayout<Float>.stride)
        imagesOfLabel = [Int](repeating: 0, count: labels.count)
    }

    /// Adds embeddings with what they show.
    /// - Parameters:
    ///   - embeddings: (images, ``dimension``), finite; see ``Model/embeddings(_:)``.
    ///   - labels: for each of them the index of its label.
    /// - Throws: ``ModelError/shape(of:expected:found:)``, ``ClassifierFitError`` for a label that there is not and for
    ///   NaN and infinity, with nothing added; ``CheckpointError`` where the disk is full.
    public func add(_ embeddings: Tensor, labels: [Int]) throws {
        guard embeddings.shape == [labels.count, dimension] else {
            throw ModelError.shape(
                of: "embeddings for \(labels.count) labels", expected: "(\(labels.count), \(dimension))",
                found: embeddings.shape)
        }
        for (row, label) in labels.enumerated() {
            guard self.labels.indices.contains(label) else {
                throw ClassifierFitError.label(label, image: count + row, labels: self.labels.count)
            }
            guard embeddings[row: row].allSatisfy(\.isFinite) else {
                throw ClassifierFitError.notFinite(image: count + row)
            }
        }
        guard !labels.isEmpty else { return }
        if count == 0 { first = Array(embeddings[row: 0]) }
        var records: [Float] = []
        records.reserveCapacity(labels.count * (dimension + 1))
        for (row, label) in labels.enumerated() {
            let embedding = embeddings[row: row]
            hasDifference = hasDifference || !embedding.elementsEqual(first)
            records += embedding
            records.append(Float(bitPattern: UInt32(label)))
        }
        try records.withUnsafeBytes { try images.write($0, at: count) }
        for label in labels { imagesOfLabel[label] += 1 }
        count += labels.count
    }

    /// Solves for the classifier. More embeddings may be added afterwards, and all solved for anew.
    /// - Parameters:
    ///   - regularization: the candidates.
    ///   - isBalanced: whether every label counts alike, however many images it has.
    /// - Throws: ``ClassifierFitError`` if the embeddings do not determine a classifier; ``BackendError`` where OpenBLAS
    ///   or LAPACKE is not installed; ``ModelError/outOfMemory(bytes:)``; ``CheckpointError`` where the disk is full.
    public func solve(
        _ regularization: Regularization = .automatic, isBalanced: Bool = false
    ) throws -> FittedClassifier {
        if let label = imagesOfLabel.firstIndex(of: 0) { throw ClassifierFitError.noImages(label: labels[label]) }
        guard hasDifference else { throw ClassifierFitError.allTheSame(images: count) }
        do {
            return try RidgeSolution(self, isBalanced: isBalanced).classifier(regularization)
        } catch let error as OutOfMemoryError {
            throw ModelError.outOfMemory(bytes: error.bytes)
        }
    }
}

/// Why a classifier cannot be fitted.
public enum ClassifierFitError: Error, Equatable, Sendable {
    /// There are fewer than two labels, so nothing to tell apart.
    case tooFewLabels([String])
    /// An image's label is none of the fit's. Images are counted from 0, in the order in which they were added.
    case label(Int, image: Int, labels: Int)
    /// An embedding holds NaN or infinity.
    case notFinite(image: Int)
    /// A label has no images.
    case noImages(label: String)
    /// All embeddings are equal.
    case allTheSame(images: Int)
    /// A regularisation is not positive, too small for double precision, or there is none.
    case regularization(Double?, least: Double)
    /// The decomposition does not converge.
    case noConvergence
}

extension ClassifierFitError: CustomStringConvertible, LocalizedError {
    /// What is wrong, in words for a person.
    public var description: String {
        switch self {
        case .tooFewLabels(let labels):
            "a classifier tells two or more labels apart; found "
                + (labels.isEmpty ? "none" : "only \"\(printable(labels[0], limit: 80))\"")
        case .label(let label, let image, let labels):
            "the label of image \(image) is \(label); allowed are 0 to \(labels - 1)"
        case .notFinite(let image):
            "the embedding of image \(image) holds NaN or infinity"
        case .noImages(let label):
            "the label \"\(printable(label, limit: 80))\" has no images that could be read; every label needs one or more"
        case .allTheSame(let images):
            "the embeddings of all \(images) images are the same, so nothing tells the labels apart"
        case .regularization(let value, let least):
            "the regularisation is \(value.map { "\($0)" } ?? "missing"); allowed are finite numbers from \(least), "
                + "below which double precision does not suffice"
        case .noConvergence:
            "the eigenvalues of the embeddings' scatter matrix cannot be found: the algorithm does not converge"
        }
    }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}
