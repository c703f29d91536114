import CETNetCheckpoint
import CETNetEngine
import CETNetMemory
import Foundation

/// Ridge regression on targets of ±1, for every regularisation by one eigendecomposition; the formulas with their
/// sources are in `Documentation/Fit.md`, the letters below are its.
///
/// Passes over the images go block by block; sums are taken in parts whose number is fixed, so that threads change
/// nothing.
struct RidgeSolution {
    private let fit: ClassifierFit
    /// Room for its threads in the library.
    private let buffers: OpenBLASBuffers
    /// wᵢ of the images of each label, and their sum over all images W.
    private let weights: [Double]
    private let totalWeight: Double
    /// μ, the mean embedding.
    private let mean: [Double]
    /// ȳ of each label: its mean target.
    private let targetMeans: [Double]
    /// λ, ascending, none below zero.
    private let eigenvalues: [Double]
    /// vⱼ, a row each.
    private let eigenvectors: DoubleMatrix
    /// C = Vᵀ X̃ᵀ Ỹ: eigenvectors × labels.
    private let projections: DoubleMatrix

    /// Images that are worked on together.
    private static let blockSize = 256
    /// Sums that are taken side by side, and added up in order. A scatter matrix is large, so there are fewer.
    private static let parts = 8
    private static let scatterParts = 4

    /// Decomposes the scatter matrix of the embeddings. Every label has images.
    init(_ fit: ClassifierFit, isBalanced: Bool) throws {
        self.fit = fit
        try OpenBLAS.load()
        buffers = try OpenBLASBuffers(min(fit.threads, Self.parts))
        let (dimension, labels) = (fit.dimension, fit.labels.count)
        let images = fit.imagesOfLabel.map(Double.init)
        weights = images.map { isBalanced ? Double(fit.count) / (Double(labels) * $0) : 1 }
        let weightOfLabel = zip(weights, images).map { $0 * $1 }
        totalWeight = weightOfLabel.reduce(0, +)
        targetMeans = weightOfLabel.map { [totalWeight] in 2 * $0 / totalWeight - 1 }

        let blocks = Blocks(fit, size: Self.blockSize)
        let sums = try blocks.inParts(Self.parts) { [weights] part, blocks in
            let sum = try DoubleMatrix(rows: 1, columns: dimension)
            try blocks.forEach(of: part) { block in
                for row in 0..<block.count {
                    let (embedding, weight) = (block[row], weights[block.label(row)])
                    for column in 0..<dimension { sum.values[column] += weight * Double(embedding[column]) }
                }
            }
            return sum
        }
        mean = (0..<dimension).map { [totalWeight] column in
            sums.reduce(0) { $0 + $1.values[column] } / totalWeight
        }

        // X̃ᵀX̃, and for each label the sum of w · (x − μ).
        let scatters = try blocks.inParts(Self.scatterParts) { [weights, mean] part, blocks in
            let (scatter, sums) = (
                try DoubleMatrix(rows: dimension, columns: dimension),
                try DoubleMatrix(rows: labels, columns: dimension)
            )
            let centered = try DoubleMatrix(rows: Self.blockSize, columns: dimension)
            try blocks.forEach(of: part) { block in
                block.center(by: mean, weights: weights, into: centered)
                OpenBLAS.addGram(of: centered, rows: block.count, to: scatter)
                for row in 0..<block.count {
                    let (label, root) = (block.label(row), weights[block.label(row)].squareRoot())
                    for column in 0..<dimension { sums[label][column] += root * centered[row][column] }
                }
            }
            return (scatter, sums)
        }
        let (scatter, labelSums) = scatters[0]
        for (other, otherSums) in scatters.dropFirst() {
            scatter.add(other)
            labelSums.add(otherSums)
        }
        // Targets are 1 where the label is the image's and −1 elsewhere.
        for column in 0..<dimension {
            let total = (0..<labels).reduce(0) { $0 + labelSums[$1][column] }
            for label in 0..<labels { labelSums[label][column] = 2 * labelSums[label][column] - total }
        }
        guard let eigenvalues = try OpenBLAS.decompose(scatter) else { throw ClassifierFitError.noConvergence }
        // Rounding makes a little of nothing, on either side.
        self.eigenvalues = eigenvalues.map { max(0, $0) }
        eigenvectors = scatter
        projections = try DoubleMatrix(rows: dimension, columns: labels)
        OpenBLAS.multiply(eigenvectors, rows: dimension, by: labelSums, transposingSecond: true, into: projections)
    }

    /// The best classifier among those of the candidates.
    func classifier(_ regularization: ClassifierFit.Regularization) throws -> FittedClassifier {
        let candidates = try candidates(regularization)
        let leverages = try Spool(recordBytes: candidates.count * MemoryLayout<Double>.stride)
        let errors = try leaveOneOutErrors(candidates, leverages: leverages)
        // The first of equals, as scikit-learn has it.
        let best = errors.indices.min { errors[$0] < errors[$1] }!
        let coefficients = try coefficients(candidates[best])
        let scores = try leaveOneOutScores(coefficients, leverages: leverages, candidate: best, of: candidates.count)
        let temperature = try Temperature(
            scores.spool, count: fit.count, labels: fit.labels.count, threads: fit.threads)
        let intercepts = fit.labels.indices.map { label in
            targetMeans[label] - mean.indices.reduce(0) { $0 + coefficients[label][$1] * mean[$1] }
        }
        return FittedClassifier(
            labels: fit.labels, images: fit.count,
            coefficients: fit.labels.indices.map { label in
                Array(UnsafeBufferPointer(start: coefficients[label], count: fit.dimension))
            },
            intercepts: intercepts, regularization: candidates[best],
            path: zip(candidates, errors).map { .init(regularization: $0, squaredError: $1) },
            temperature: temperature.value,
            leaveOneOut: .init(top1: Double(scores.right) / Double(fit.count), crossEntropy: temperature.crossEntropy))
    }

    /// The candidates' values, checked.
    private func candidates(_ regularization: ClassifierFit.Regularization) throws -> [Double] {
        // A sum of λ and less than this is rounding to a part in a million.
        let least = 1e-10 * eigenvalues.last!
        switch regularization {
        case .automatic:
            let mean = eigenvalues.reduce(0, +) / Double(eigenvalues.count)
            return (-10...4).map { mean * pow(10, Double($0) / 2) }.map { max($0, least) }
        case .best(let values):
            guard !values.isEmpty else { throw ClassifierFitError.regularization(nil, least: least) }
            for value in values where !(value >= least && value > 0 && value.isFinite) {
                throw ClassifierFitError.regularization(value, least: least)
            }
            return values
        }
    }

    /// The mean squared leave-one-out error of each candidate.
    /// - Parameter leverages: receives hᵢ of each candidate.
    private func leaveOneOutErrors(_ candidates: [Double], leverages: Spool) throws -> [Double] {
        let (dimension, labels) = (fit.dimension, fit.labels.count)
        let parts = try Blocks(fit, size: Self.blockSize).inParts(Self.parts) { part, blocks in
            func matrix(_ columns: Int) throws -> DoubleMatrix {
                try DoubleMatrix(rows: Self.blockSize, columns: columns)
            }
            let (centered, scores, scaled) = (try matrix(dimension), try matrix(dimension), try matrix(dimension))
            // 1 / (λ + α), a column for each candidate.
            let factors = try DoubleMatrix(rows: dimension, columns: candidates.count)
            for (row, eigenvalue) in eigenvalues.enumerated() {
                for (column, candidate) in candidates.enumerated() {
                    factors[row][column] = 1 / (eigenvalue + candidate)
                }
            }
            let (fitted, leverage) = (try matrix(labels), try matrix(candidates.count))
            var errors = [Double](repeating: 0, count: candidates.count)
            try blocks.forEach(of: part) { block in
                block.center(by: mean, weights: weights, into: centered)
                // Z = X̃ V
                OpenBLAS.multiply(centered, rows: block.count, by: eigenvectors, transposingSecond: true, into: scores)
                for index in 0..<block.count * dimension {
                    scaled.values[index] = scores.values[index] * scores.values[index]
                }
                OpenBLAS.multiply(scaled, rows: block.count, by: factors, into: leverage)
                for row in 0..<block.count {
                    for index in candidates.indices {
                        leverage[row][index] += weights[block.label(row)] / totalWeight
                    }
                }
                for (index, candidate) in candidates.enumerated() {
                    let factors = eigenvalues.map { 1 / ($0 + candidate) }
                    for row in 0..<block.count {
                        let (z, y) = (scores[row], scaled[row])
                        for column in 0..<dimension { y[column] = z[column] * factors[column] }
                    }
                    OpenBLAS.multiply(scaled, rows: block.count, by: projections, into: fitted)
                    for row in 0..<block.count {
                        let label = block.label(row)
                        let factor = 1 / (1 - leverage[row][index])
                        for other in 0..<labels {
                            let error = (target(other, of: label) - fitted[row][other]) * factor
                            errors[index] += error * error
                        }
                    }
                }
                let bytes = UnsafeRawBufferPointer(start: leverage.values, count: block.count * leverages.recordBytes)
                try leverages.write(bytes, at: block.first)
            }
            return errors
        }
        let count = Double(fit.count * labels)
        return candidates.indices.map { index in parts.reduce(0) { $0 + $1[index] } / count }
    }

    /// √wᵢ (yᵢ − ȳ): what is left of an image's target, weighted.
    private func target(_ label: Int, of image: Int) -> Double {
        weights[image].squareRoot() * ((label == image ? 1 : -1) - targetMeans[label])
    }

    /// Labels × dimension: V (Λ + α)⁻¹ C, transposed.
    private func coefficients(_ candidate: Double) throws -> DoubleMatrix {
        let (dimension, labels) = (fit.dimension, fit.labels.count)
        let scaled = try DoubleMatrix(rows: dimension, columns: labels)
        for row in 0..<dimension {
            for label in 0..<labels { scaled[row][label] = projections[row][label] / (eigenvalues[row] + candidate) }
        }
        let coefficients = try DoubleMatrix(rows: labels, columns: dimension)
        OpenBLAS.multiply(scaled, transposingFirst: true, rows: labels, by: eigenvectors, into: coefficients)
        return coefficients
    }

    /// What the classifier that has not seen an image gives for it: a spool of the scores of all labels, then the label,
    /// then the weight; and how many of the images are right.
    private func leaveOneOutScores(
        _ coefficients: DoubleMatrix, leverages: Spool, candidate: Int, of candidates: Int
    ) throws -> (spool: Spool, right: Int) {
        let labels = fit.labels.count
        let spool = try Spool(recordBytes: (labels + 2) * MemoryLayout<Double>.stride)
        let right = try Blocks(fit, size: Self.blockSize).inParts(Self.parts) { part, blocks in
            let centered = try DoubleMatrix(rows: Self.blockSize, columns: fit.dimension)
            let fitted = try DoubleMatrix(rows: Self.blockSize, columns: labels)
            let leverage = try DoubleMatrix(rows: Self.blockSize, columns: candidates)
            let scores = try DoubleMatrix(rows: Self.blockSize, columns: labels + 2)
            var right = 0
            try blocks.forEach(of: part) { block in
                block.center(by: mean, weights: weights, into: centered)
                OpenBLAS.multiply(centered, rows: block.count, by: coefficients, transposingSecond: true, into: fitted)
                try leverages.read(
                    into: UnsafeMutableRawBufferPointer(
                        start: leverage.values, count: block.count * leverages.recordBytes), at: block.first)
                for row in 0..<block.count {
                    let label = block.label(row)
                    let factor = 1 / ((1 - leverage[row][candidate]) * weights[label].squareRoot())
                    for other in 0..<labels {
                        let error = (target(other, of: label) - fitted[row][other]) * factor
                        scores[row][other] = (other == label ? 1 : -1) - error
                    }
                    let highest = (0..<labels).reduce(0) { scores[row][$1] > scores[row][$0] ? $1 : $0 }
                    if highest == label { right += 1 }
                    scores[row][labels] = Double(label)
                    scores[row][labels + 1] = weights[label]
                }
                let bytes = UnsafeRawBufferPointer(start: scores.values, count: block.count * spool.recordBytes)
                try spool.write(bytes, at: block.first)
            }
            return right
        }
        return (spool, right.reduce(0, +))
    }
}

extension DoubleMatrix {
    fileprivate func add(_ other: DoubleMatrix) {
        for index in 0..<rows * columns { values[index] += other.values[index] }
    }
}

/// What threads hand each other: each part has values of its own, and all are done before their caller goes on.
private struct Shared<Value>: @unchecked Sendable { let value: Value }

/// The images of a fit, some at a time.
private struct Blocks: @unchecked Sendable {
    // Nothing is added while a fit is being solved.
    let fit: ClassifierFit
    let size: Int

    init(_ fit: ClassifierFit, size: Int) { (self.fit, self.size) = (fit, size) }

    /// Calls `body` with each part of the blocks, on the fit's threads.
    func inParts<Value>(_ count: Int, _ body: (Range<Int>, Blocks) throws -> Value) throws -> [Value] {
        let blocks = (fit.count + size - 1) / size
        return try withoutActuallyEscaping(body) { body in
            let shared = Shared(value: body)
            return try mapConcurrently(count: min(count, blocks), threads: fit.threads) { part in
                let parts = min(count, blocks)
                let range = blocks * part / parts..<blocks * (part + 1) / parts
                return Shared(value: Result { try shared.value(range, self) })
            }.map { try $0.value.get() }
        }
    }

    /// Some images that are in memory.
    struct Block {
        let first: Int
        let count: Int
        let dimension: Int
        let records: UnsafeMutablePointer<Float>

        /// An image's embedding.
        subscript(row: Int) -> UnsafePointer<Float> { UnsafePointer(records + row * (dimension + 1)) }

        func label(_ row: Int) -> Int { Int(self[row][dimension].bitPattern) }

        /// X̃: √w (x − μ).
        func center(by mean: [Double], weights: [Double], into centered: DoubleMatrix) {
            for row in 0..<count {
                let (embedding, root, target) = (self[row], weights[label(row)].squareRoot(), centered[row])
                for column in 0..<dimension { target[column] = root * (Double(embedding[column]) - mean[column]) }
            }
        }
    }

    func forEach(of part: Range<Int>, _ body: (Block) throws -> Void) throws {
        let records = UnsafeMutablePointer<Float>.allocate(capacity: size * (fit.dimension + 1))
        defer { records.deallocate() }
        for index in part {
            let block = Block(
                first: index * size, count: min(size, fit.count - index * size), dimension: fit.dimension,
                records: records)
            let bytes = UnsafeMutableRawBufferPointer(start: records, count: block.count * fit.images.recordBytes)
            try fit.images.read(into: bytes, at: block.first)
            try body(block)
        }
    }
}
