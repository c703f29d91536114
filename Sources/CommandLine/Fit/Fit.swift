import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

struct Fit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a classifier of one's own labels from a model and images, in seconds.",
        discussion: """
            The model's own classifier, if it has one, is put aside; the rest stays as it is and turns each image into \
            an embedding. On these a new classifier is found in closed form: ridge regression, whose regularisation is \
            the one with the least exact leave-one-out error, and whose probabilities are calibrated on the same \
            left-out scores. Documentation/Fit.md has the formulas.

            DATA is a folder with a subfolder of images for each label, or a CSV file with the columns path and label, \
            as for 'cetnet evaluate'. The new model has the labels in the order of their names. An image that cannot be \
            read is named and left out; the exit status is then 1.

            EXAMPLES
              cetnet fit --model swin-tiny-patch4-window7-224 photos/ --output my-model
              cetnet fit --model my-backbone train.csv --validation test.csv --balanced --output my-model
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: ArgumentHelp("A folder per label, or a CSV of path,label.", valueName: "data"))
    var data: String

    @Option(
        name: .long,
        help: ArgumentHelp("The directory to write the new model to; made if there is none.", valueName: "directory"))
    var output: String

    @Option(
        name: .long,
        help: ArgumentHelp("Further images with the same labels, to measure the new model on.", valueName: "data"))
    var validation: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How strongly coefficients are held down: auto picks by leave-one-out, a number is scikit-learn's alpha.",
            valueName: "auto|x"))
    var regularization = RegularizationArgument(regularization: .automatic)

    @Flag(name: .long, help: "Let every label count alike, however many images it has.")
    var balanced = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write the figures to this file as JSON, with the error of every regularisation.", valueName: "file"))
    var json: String?

    @Flag(name: .long, help: "Replace a model that is already there.")
    var force = false

    @OptionGroup var batch: BatchOption

    @OptionGroup var decoding: DecodingOptions

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        try OutputFile.check(json)
        let directory = URL(fileURLWithPath: output, isDirectory: true)
        if !force, FileManager.default.fileExists(atPath: directory.appendingPathComponent("config.json").path) {
            throw Failure(status: .unusable, message: "\(output): there is a model already; --force replaces it")
        }
        let labels = try LabelledImages.labels(at: data)
        let images = try LabelledImages(at: data, labels: labels, decoder: decoding.decoder)
        let others = try validation.map { path throws(Failure) in
            try LabelledImages(at: path, labels: labels, decoder: decoding.decoder)
        }
        let backbone = try model.model.load(precision: .float32, threads: threads.threads)

        let fit = try Failure.wrap(.unusable) {
            try ClassifierFit(labels: labels, dimension: backbone.embeddingDimension, threads: threads.threads)
        }
        let start = ContinuousClock.now
        try add(images, to: fit, backbone)
        let embedded = ContinuousClock.now
        let classifier = try Failure.wrap(.unusable) {
            try fit.solve(regularization.regularization, isBalanced: balanced)
        }
        let solved = ContinuousClock.now
        try Failure.wrap(.unusable) {
            do {
                let backbone = URL(fileURLWithPath: model.model.text)
                try classifier.write(backboneAt: backbone, to: directory, replacing: force)
            } catch ModelError.fileExists(let path) {
                throw Failure(status: .unusable, message: "\(path) exists already; --force replaces it")
            }
        }
        let figures = Figures(
            classifier: classifier, failed: images.images.count - fit.count,
            embedding: start.duration(to: embedded) / .seconds(1), solving: embedded.duration(to: solved) / .seconds(1))
        let measured = try others.map { images throws(Failure) in
            let new = try ModelArgument(argument: output).load(threads: threads.threads)
            return try EvaluationPass(new, images, batch: batch.batch)
        }
        try report(figures, measured)
        let failed = figures.failed + (measured?.outcomes.count { $0 == nil } ?? 0)
        if failed > 0 {
            throw Failure(status: .inputsFailed, message: "\(failed) images could not be read")
        }
    }

    private struct Figures {
        let classifier: FittedClassifier
        let failed: Int
        /// Seconds.
        let embedding: Double
        let solving: Double
    }

    private func add(_ data: LabelledImages, to fit: ClassifierFit, _ backbone: Model) throws(Failure) {
        let bar = ProgressBar(total: data.images.count, noun: "images")
        try Failure.wrap(.unusable) {
            try backbone.embeddings(data.images, batch: batch.batch) { index, result in
                switch result {
                case .success(let embedding):
                    try fit.add(Tensor(shape: [1, embedding.count], values: embedding), labels: [data.labels[index]])
                case .failure(let error):
                    bar.clear()
                    Console.report(error, of: data.images[index])
                }
                bar.show(index + 1)
            }
        }
        bar.clear()
    }

    private func report(_ figures: Figures, _ measured: EvaluationPass?) throws(Failure) {
        let classifier = figures.classifier
        let evaluation = measured.map { Evaluation(outcomes: $0.outcomes.compactMap(\.self)) }
        func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
        var lines = [
            "model              \(output)",
            "images             \(classifier.images)" + (figures.failed > 0 ? ", \(figures.failed) failed" : "")
                + " of \(classifier.labels.count) labels",
            "regularisation     " + String(format: "%.4g", classifier.regularization),
            "left-out top-1     " + percent(classifier.leaveOneOut.top1),
            "temperature        " + String(format: "%.4g", classifier.temperature),
            "time               "
                + String(format: "%.2f s embedding, %.2f s solving", figures.embedding, figures.solving),
        ]
        var members: [JSONValue.Member] = [
            .init("model", .string(output)), .init("backbone", .string(model.model.text)), .init("data", .string(data)),
            .init("images", .integer(classifier.images)), .init("failed", .integer(figures.failed)),
            .init("labels", .array(classifier.labels.map { .string($0) })),
            .init("balanced", .bool(balanced)), .init("regularization", .double(classifier.regularization)),
            .init(
                "path",
                .array(
                    classifier.path.map { candidate -> JSONValue in
                        [
                            "regularization": .double(candidate.regularization),
                            "squared_error": .double(candidate.squaredError),
                        ]
                    })),
            .init("temperature", .double(classifier.temperature)),
            .init("leave_one_out_top1", .double(classifier.leaveOneOut.top1)),
            .init("leave_one_out_cross_entropy", .double(classifier.leaveOneOut.crossEntropy)),
            .init("embedding_seconds", .rounded(figures.embedding)),
            .init("solving_seconds", .rounded(figures.solving)),
        ]
        if let evaluation {
            let interval = evaluation.interval(evaluation.top1)
            lines.append(
                "validation top-1   \(percent(evaluation.top1)) "
                    + "(\(percent(interval.lowerBound)) to \(percent(interval.upperBound)))")
            members += [
                .init("validation_images", .integer(evaluation.outcomes.count)),
                .init("validation_top1", .double(evaluation.top1)),
                .init("validation_expected_calibration_error", .double(evaluation.calibrationError)),
            ]
        }
        try Console.print(lines.joined(separator: "\n"))
        if let json {
            try Failure.wrap(.unusable) { try OutputFile.write(JSONValue.object(members).description + "\n", to: json) }
        }
    }
}

/// A regularisation on the command line: `auto`, or a positive number.
struct RegularizationArgument: ExpressibleByArgument {
    let regularization: ClassifierFit.Regularization

    init(regularization: ClassifierFit.Regularization) { self.regularization = regularization }

    init?(argument: String) {
        if argument == "auto" {
            regularization = .automatic
        } else {
            guard let value = Double(argument), value.isFinite, value > 0 else { return nil }
            regularization = .fixed(value)
        }
    }

    var defaultValueDescription: String { "auto" }
}
