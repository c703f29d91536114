import CETNet
import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct ClassifierFitTests {
    /// What scikit-learn and SciPy say, by `Tools/python/make_fit_fixtures.py`.
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String, labels: Int, balanced: Bool
        let embeddings: [[Float]], truth: [Int]
        let alphas: [Double], alpha: Double, errors: [Double]
        let coefficients: [[Double]], intercepts: [Double], predictions: [Int], top1: Double, temperature: Double

        var testDescription: String { name }

        func fit(threads: Int = 2, batch: Int = 7) throws -> ClassifierFit {
            let fit = try ClassifierFit(
                labels: (0..<labels).map { "label \($0)" }, dimension: embeddings[0].count, threads: threads)
            for start in stride(from: 0, to: truth.count, by: batch) {
                let rows = start..<min(start + batch, truth.count)
                try fit.add(
                    Tensor(shape: [rows.count, fit.dimension], values: embeddings[rows].flatMap { $0 }),
                    labels: Array(truth[rows]))
            }
            return fit
        }
    }

    static let cases = try! JSONDecoder().decode(
        [Case].self,
        from: Data(contentsOf: Bundle.module.resourceURL!.appendingPathComponent("Fixtures/ridge.json")))

    /// Relative to the largest magnitude.
    private func difference(_ found: [Double], _ expected: [Double]) -> Double {
        guard found.count == expected.count else { return .infinity }
        return zip(found, expected).map { abs($0 - $1) }.max()! / expected.map(abs).max()!
    }

    @Test(arguments: cases) func equalToRidgeClassifierCV(expected: Case) throws {
        let fit = try expected.fit()
        let found = try fit.solve(.best(of: expected.alphas), isBalanced: expected.balanced)
        #expect(found.regularization == expected.alpha && found.images == expected.truth.count)
        #expect(found.path.map(\.regularization) == expected.alphas)
        // Both are in double precision; the scatter matrix squares what is lost to it.
        let errors = difference(found.path.map(\.squaredError), expected.errors)
        #expect(errors <= 1e-8, "\(found.path), scikit-learn's \(expected.errors)")
        let coefficients = difference(found.coefficients.flatMap { $0 }, expected.coefficients.flatMap { $0 })
        #expect(coefficients <= 1e-8, "\(found.coefficients), scikit-learn's \(expected.coefficients)")
        #expect(
            difference(found.intercepts, expected.intercepts) <= 1e-8, "\(found.intercepts), \(expected.intercepts)")
        #expect(found.leaveOneOut.top1 == expected.top1)
        // SciPy finds the minimum of a flat function to about the root of the precision.
        let temperature = abs(found.temperature / expected.temperature - 1)
        #expect(temperature <= 1e-6, "\(found.temperature), SciPy's \(expected.temperature)")
        let predictions = expected.embeddings.map { embedding in
            let scores = zip(found.coefficients, found.intercepts).map { coefficients, intercept in
                zip(coefficients, embedding).reduce(intercept) { $0 + $1.0 * Double($1.1) }
            }
            return scores.indices.max { scores[$0] < scores[$1] }!
        }
        #expect(predictions == expected.predictions)
        // Neither batches nor threads change a bit; one candidate alone gives the same.
        let same = try expected.fit(threads: 1, batch: 1).solve(
            .best(of: expected.alphas), isBalanced: expected.balanced)
        #expect(same == found)
        let alone = try fit.solve(.fixed(expected.alpha), isBalanced: expected.balanced)
        #expect(alone.coefficients == found.coefficients)
        // Its leverages are a product of another shape, so of another order of sums.
        #expect(abs(alone.temperature / found.temperature - 1) < 1e-12, "\(alone.temperature), \(found.temperature)")
    }

    @Test func theAutomaticGridIsRelativeToTheEmbeddings() throws {
        let small = Self.cases[0]
        let path = try small.fit().solve().path
        #expect(path.count == 15)
        let step = path[1].regularization / path[0].regularization
        #expect(abs(step - 10.0.squareRoot()) < 1e-9, "\(step)")
        // A hundred times the embeddings: ten thousand times the regularisation, the same errors.
        let fit = try ClassifierFit(labels: ["a", "b", "c"], dimension: small.embeddings[0].count)
        try fit.add(
            Tensor(
                shape: [small.truth.count, fit.dimension], values: small.embeddings.flatMap { $0.map { 128 * $0 } }),
            labels: small.truth)
        let scaled = try fit.solve()
        for (a, b) in zip(path, scaled.path) {
            #expect(abs(b.regularization / a.regularization / 16384 - 1) < 1e-9, "\(a), \(b)")
            #expect(abs(b.squaredError / a.squaredError - 1) < 1e-6, "\(a), \(b)")
        }
    }

    @Test func whatDeterminesNoClassifierIsNamed() throws {
        func error(_ body: () throws -> Void) -> ClassifierFitError? {
            do {
                try body()
                return nil
            } catch {
                return error as? ClassifierFitError
            }
        }
        #expect(error { _ = try ClassifierFit(labels: ["a"], dimension: 2) } == .tooFewLabels(["a"]))
        let fit = try ClassifierFit(labels: ["a", "b"], dimension: 2, threads: 1)
        #expect(error { _ = try fit.solve() } == .noImages(label: "a"))
        let pair = try Tensor(shape: [2, 2], values: [1, 2, 1, 2])
        #expect(error { try fit.add(pair, labels: [0, 2]) } == .label(2, image: 1, labels: 2))
        let broken = try Tensor(shape: [2, 2], values: [1, 2, .nan, 2])
        #expect(error { try fit.add(broken, labels: [0, 1]) } == .notFinite(image: 1))
        #expect(throws: ModelError.shape(of: "embeddings for 1 labels", expected: "(1, 2)", found: [2, 2])) {
            try fit.add(pair, labels: [0])
        }
        #expect(fit.count == 0)
        try fit.add(pair, labels: [0, 0])
        #expect(error { _ = try fit.solve() } == .noImages(label: "b"))
        try fit.add(pair, labels: [1, 1])
        #expect(error { _ = try fit.solve() } == .allTheSame(images: 4))
        try fit.add(Tensor(shape: [1, 2], values: [5, 2]), labels: [1])
        for value in [0, -1, .nan, .infinity, 1e-12] as [Double] {
            guard case .regularization(let found?, _)? = error({ _ = try fit.solve(.fixed(value)) }) else {
                Issue.record("\(value) is no regularisation")
                continue
            }
            #expect(found == value || found.isNaN && value.isNaN)
        }
        guard case .regularization(nil, _)? = error({ _ = try fit.solve(.best(of: [])) }) else {
            Issue.record("an empty grid has no best")
            return
        }
        #expect(try fit.solve().leaveOneOut.top1.isFinite)
    }

    /// On a backbone of any kind: the new model's logits are the classifier's scores over the temperature.
    @Test(arguments: ["tiny", "cvt-13"]) func becomesAModel(variant: String) throws {
        let directory = try TemporaryDirectory()
        var configuration = try variant == "tiny" ? tinyConfiguration() : ModelConfiguration(variant: variant)
        configuration.depths = configuration.depths.map { _ in 1 }
        try configuration.writeRandomModel(seed: 5, to: directory.url.appendingPathComponent("backbone"))
        let url = directory.url.appendingPathComponent("backbone")
        let backbone = try Model(contentsOf: url)
        let batch = try images(6)
        let fit = try ClassifierFit(labels: ["left", "right"], dimension: backbone.embeddingDimension)
        let embeddings = try backbone.embeddings(batch)
        try fit.add(embeddings, labels: [0, 1, 1, 0, 1, 0])
        let classifier = try fit.solve()
        let model = try Model(backboneAt: url, classifier: classifier)
        #expect(model.configuration.labels == ["left", "right"] && model.hasClassifier)
        let logits = try model.logits(batch)
        for image in 0..<6 {
            for label in 0..<2 {
                let score =
                    zip(classifier.coefficients[label], embeddings[row: image])
                    .reduce(classifier.intercepts[label]) { $0 + $1.0 * Double($1.1) } / classifier.temperature
                let logit = Double(Array(logits[row: image])[label])
                #expect(abs(logit - score) <= 1e-4 * max(1, abs(score)), "\(image), \(label): \(logit), \(score)")
            }
        }
        let new = directory.url.appendingPathComponent("new")
        try classifier.write(backboneAt: url, to: new)
        #expect(bits(try Model(contentsOf: new).logits(batch).values) == bits(logits.values))
        #expect(throws: ModelError.fileExists(path: new.appendingPathComponent("config.json").path)) {
            try classifier.write(backboneAt: url, to: new)
        }
        let other = try ClassifierFit(labels: ["left", "right"], dimension: 2)
        try other.add(Tensor(shape: [2, 2], values: [1, 2, 3, 4]), labels: [0, 1])
        #expect(throws: ModelError.self) { try Model(backboneAt: url, classifier: other.solve()) }
    }
}
