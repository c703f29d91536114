import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how often a model is right on images with labels.",
        discussion: """
            DATA is a folder with a subfolder of images for each label, or a CSV file with the columns path and label \
            (paths count from the file's folder). A label is given by its name, its index or, for models of ImageNet, \
            one of its names or its WordNet id. An image that cannot be read is named and does not count; the exit \
            status is then 1.

            Intervals are Wilson's, of 95 %. The expected calibration error compares probabilities with how often they \
            come true, in \(Evaluation.bins) bins. With --against, McNemar's exact test says how likely such a \
            difference is by chance. --json writes shares as fractions; "confusion" holds the matrix without its zeros.

            EXAMPLES
              cetnet evaluate --model my-model photos/
              cetnet evaluate --model my-model test.csv --against other-model --json figures.json
              cetnet evaluate --model my-model photos/ --against my-model:int8
              cetnet evaluate --model my-model --precision int8 photos/ --against my-model
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: ArgumentHelp("A folder per label, or a CSV of path,label.", valueName: "data"))
    var data: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Another model with the same labels to compare with; MODEL:int8 or MODEL:bfloat16 for another precision.",
            valueName: "model"))
    var against: ModelArgument?

    @Option(name: .long, help: ArgumentHelp("Write the figures to this file as JSON.", valueName: "file"))
    var json: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Write a table of path, label, predicted label, probability.", valueName: "file"))
    var predictions: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many images run through the model together. Changes speed and memory, not results.",
            valueName: "n"))
    var batch = 8

    @OptionGroup var decoding: DecodingOptions

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    func validate() throws { try Allowed.check("batch", batch, 1...1024) }

    func run() throws {
        let first = try model.model.load(precision: precision.precision, threads: threads.threads)
        let labels = first.configuration.labels
        let second = try against.map { argument throws(Failure) in
            let named = try ModelInPrecision(argument, otherwise: nil)
            let other = try named.model.load(precision: named.precision, threads: threads.threads)
            guard other.configuration.labels == labels else {
                throw Failure(
                    status: .unusable,
                    message: "\(argument.text): expected the labels of \(model.model.text), found others")
            }
            return other
        }
        let data = try LabelledImages(at: data, labels: labels, decoder: decoding.decoder)
        let pass = try EvaluationPass(first, data, batch: batch)
        let evaluation = Evaluation(outcomes: pass.outcomes.compactMap(\.self))
        let agreement = try second.map { second throws(Failure) in
            let other = try EvaluationPass(second, data, batch: batch)
            let pairs = zip(pass.outcomes, other.outcomes).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
            return (Evaluation(outcomes: pairs.map(\.1)), Agreement(pairs.map(\.0), pairs.map(\.1)))
        }

        let failed = data.images.count - evaluation.outcomes.count
        try Console.print(
            text(evaluation, failed, pass.imagesPerSecond, agreement, labels.map { printable($0) }))
        try Failure.wrap(.unusable) {
            if let json {
                let figures = figures(evaluation, first.precision, failed, pass.imagesPerSecond, agreement, labels)
                try OutputFile.write(figures.description + "\n", to: json)
            }
            if let predictions { try OutputFile.write(table(pass.outcomes, data, labels), to: predictions) }
        }
        if failed > 0 {
            throw Failure(
                status: .inputsFailed, message: "\(failed) of \(data.images.count) images could not be classified")
        }
    }

    private typealias Comparison = (evaluation: Evaluation, agreement: Agreement)

    // MARK: Output

    private func text(
        _ evaluation: Evaluation, _ failed: Int, _ imagesPerSecond: Double, _ other: Comparison?, _ labels: [String]
    ) -> String {
        func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
        func share(_ share: Double, of evaluation: Evaluation) -> String {
            let interval = evaluation.interval(share)
            return "\(percent(share)) (\(percent(interval.lowerBound)) to \(percent(interval.upperBound)))"
        }
        var lines = [
            "images             \(evaluation.outcomes.count)" + (failed > 0 ? ", \(failed) failed" : ""),
            "top-1              " + share(evaluation.top1, of: evaluation),
            "top-5              " + share(evaluation.top5, of: evaluation),
            "calibration error  " + percent(evaluation.calibrationError),
            "images/s           " + String(format: "%.1f", imagesPerSecond),
        ]
        if let other, let against {
            let chance = String(format: "%.3g", other.agreement.probability)
            lines += [
                "", "against \(against.text)",
                "top-1              " + share(other.evaluation.top1, of: other.evaluation),
                "same label         " + percent(other.agreement.same),
                "right alone        \(other.agreement.onlyFirst) to \(other.agreement.onlySecond), "
                    + "by chance with probability \(chance)",
            ]
        }
        var table = TextTable([
            ("label", .left), ("images", .right), ("precision", .right), ("recall", .right), ("taken for", .left),
        ])
        let confusions = evaluation.confusions.filter { $0.truth != $0.predicted }.grouped(by: \.truth)
        for label in evaluation.labels {
            let others = confusions.first { $0.key == label.label }?.elements.sorted { $0.images > $1.images } ?? []
            table.add([
                labels[label.label], "\(label.images)", label.precision.map(percent) ?? "–",
                label.recall.map(percent) ?? "–",
                others.prefix(3).map { "\(labels[$0.predicted]) (\($0.images))" }.joined(separator: ", "),
            ])
        }
        return (lines + ["", table.text]).joined(separator: "\n")
    }

    private func figures(
        _ evaluation: Evaluation, _ precision: Precision, _ failed: Int, _ imagesPerSecond: Double,
        _ other: Comparison?,
        _ labels: [String]
    ) -> JSONValue {
        func interval(_ share: Double) -> JSONValue {
            let interval = evaluation.interval(share)
            return .array([.number(interval.lowerBound), .number(interval.upperBound)])
        }
        func optional(_ share: Double?) -> JSONValue { share.map { .double($0) } ?? .null }
        var members: [JSONValue.Member] = [
            .init("model", .string(model.model.text)), .init("precision", .string(precision.rawValue)),
            .init("data", .string(data)),
            .init("images", .integer(evaluation.outcomes.count)), .init("failed", .integer(failed)),
            .init("top1", .double(evaluation.top1)), .init("top1_interval", interval(evaluation.top1)),
            .init("top5", .double(evaluation.top5)), .init("top5_interval", interval(evaluation.top5)),
            .init("expected_calibration_error", .double(evaluation.calibrationError)),
            .init("images_per_second", .rounded(imagesPerSecond)),
            .init(
                "labels",
                .array(
                    evaluation.labels.map { label -> JSONValue in
                        [
                            "label": .string(labels[label.label]), "index": .integer(label.label),
                            "images": .integer(label.images), "precision": optional(label.precision),
                            "recall": optional(label.recall),
                        ]
                    })),
            .init(
                "confusion",
                .array(
                    evaluation.confusions.map { entry -> JSONValue in
                        [
                            "label": .integer(entry.truth), "predicted": .integer(entry.predicted),
                            "images": .integer(entry.images),
                        ]
                    })),
        ]
        if let other, let against {
            members.append(
                .init(
                    "against",
                    [
                        "model": .string(against.text), "top1": .double(other.evaluation.top1),
                        "same_label": .double(other.agreement.same),
                        "only_first_right": .integer(other.agreement.onlyFirst),
                        "only_second_right": .integer(other.agreement.onlySecond),
                        "mcnemar_p": .double(other.agreement.probability),
                    ]))
        }
        return .object(members)
    }

    private func table(_ outcomes: [Evaluation.Outcome?], _ data: LabelledImages, _ labels: [String]) -> String {
        CSV.text(
            titles: ["path", "label", "predicted", "probability"],
            rows: zip(data.images, outcomes).enumerated().map { index, row in
                [
                    .string(row.0.name), .string(labels[data.labels[index]]),
                    row.1.map { .string(labels[$0.predicted]) } ?? .null,
                    row.1.map { .number(Double($0.probability.description)!) } ?? .null,
                ]
            })
    }
}
