import ArgumentParser
import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation

struct Classify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Classify images.",
        discussion: """
            An IMAGE is a JPEG or PNG file, or a folder: its .jpg, .jpeg and .png files and those of its subfolders are \
            taken in the order of their names, but for hidden ones. An image that cannot be read does not stop the \
            others; the exit status is then 1.

            With --json one line is printed for each image, in order: {"path", "predictions": [{"index", "label", \
            "probability"}]}, or {"path", "error"}.

            EXAMPLES
              cetnet classify --model models/digits models/digits/images/digit-0-held-out-024.png
              cetnet classify --model models/digits --top 1 --json photos/ more.jpg
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: ArgumentHelp("JPEG or PNG files, or folders of them.", valueName: "image"))
    var images: [String]

    @Option(name: .long, help: ArgumentHelp("How many labels to print for each image.", valueName: "n"))
    var top = 5

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many images run through the model together. Changes speed and memory, not results.",
            valueName: "n"))
    var batch = 8

    @OptionGroup var decoding: DecodingOptions

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    @Flag(help: "Print one JSON object per image and line.")
    var json = false

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top is \(top); allowed is 1 or more.") }
        try Allowed.check("batch", batch, 1...1024)
    }

    func run() throws {
        let model = try model.model.load(precision: precision.precision, threads: threads.threads)
        let found = ImageFinder(decoder: decoding.decoder).find(images)
        let bar = ProgressBar(total: found.count, noun: "images")
        bar.show(0)

        var failures = 0
        var done = 0
        func print(_ path: String, _ outcome: Result<[Prediction], any Error>) throws {
            bar.clear()
            switch outcome {
            case .success(let predictions):
                try Console.print(json ? jsonLine(path, predictions) : table(path, predictions))
            case .failure(let error):
                failures += 1
                let message = error.localizedDescription
                if json {
                    try Console.print((["path": .string(path), "error": .string(message)] as JSONValue).line)
                } else {
                    Console.report("Error: " + printable(message.hasPrefix(path) ? message : "\(path): \(message)"))
                }
            }
            done += 1
            bar.show(done)
        }
        try Failure.wrap(.unusable) {
            try model.classify(found, top: top, batch: batch) { try print(found[$0].name, $1) }
        }
        bar.clear()
        if failures > 0 {
            throw Failure(
                status: .inputsFailed,
                message: "\(failures) of \(found.count) image\(found.count == 1 ? "" : "s") could not be classified")
        }
    }

    private func table(_ path: String, _ predictions: [Prediction]) -> String {
        ([path] + predictions.map { "  \(Figures.percent($0.probability))  \($0.label)" }).map { printable($0) }.joined(
            separator: "\n")
    }

    private func jsonLine(_ path: String, _ predictions: [Prediction]) -> String {
        let predictions = predictions.map { prediction -> JSONValue in
            [
                "index": .integer(prediction.index), "label": .string(prediction.label),
                // The shortest digits that give the same float32 back.
                "probability": .number(Double(prediction.probability.description)!),
            ]
        }
        return JSONValue.object([.init("path", .string(path)), .init("predictions", .array(predictions))]).line
    }
}
