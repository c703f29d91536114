import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a model on an array of normalised images.",
        discussion: """
            Reads a float32 (B, 3, H, W) array in NumPy's format, of any height and width from 32, and writes the \
            logits, (B, labels). With --features it also writes the feature maps of the four stages, before the final \
            norm, as stage1.npy to stage4.npy, each (B, C, H, W). A backbone without classifier has these only.

            Of a segmentation model the logits are maps, (B, labels, H/4, W/4) rounded up, and the features are \
            normalised. With --labels it also writes the label of each pixel, int32 (B, H, W).

            EXAMPLES
              cetnet run --model models/digits --input x.npy --output y.npy
              cetnet run --model /tmp/cetnet-t --input x.npy --output y.npy --features maps --threads 1
            """)

    @OptionGroup var model: ModelOption

    @Option(name: .long, help: ArgumentHelp("The .npy file with the images.", valueName: "x.npy"))
    var input: String

    @Option(name: .long, help: ArgumentHelp("The .npy file to write the logits to.", valueName: "y.npy"))
    var output: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The directory to write the feature maps to; made if there is none.", valueName: "directory"))
    var features: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The .npy file to write a segmentation model's labels to.", valueName: "labels.npy"))
    var labels: String?

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        let model = try model.model.load(precision: precision.precision, threads: threads.threads)
        if labels != nil, model.configuration.task != .segmentation {
            throw Failure(
                status: .unusable,
                message: "--labels: \(ModelError.task(model.configuration.task, expected: .segmentation))")
        }
        let (logits, maps, segments): (Tensor, [Tensor], [SegmentationMap]) = try Failure.wrap(.inputsFailed) {
            let array = try NumPyArray(contentsOf: URL(fileURLWithPath: input))
            do {
                let batch = try Tensor(shape: array.shape, values: array.values)
                if features != nil, !model.hasClassifier { return (batch, try model.features(batch), []) }
                let (logits, maps) =
                    features == nil ? (try model.logits(batch), []) : try model.logitsAndFeatures(batch)
                guard labels != nil else { return (logits, maps, []) }
                let size = ImageSize(height: batch.shape[2], width: batch.shape[3])
                return (logits, maps, try model.segmentations(logits: logits, imageSize: size))
            } catch let error as ModelError {
                if case .outOfMemory = error { throw error }
                throw Failure(status: .inputsFailed, message: "\(input): \(error)")
            }
        }
        try Failure.wrap(.unusable) {
            if let features {
                let directory = try OutputFile.directory(features)
                for (stage, map) in maps.enumerated() {
                    try NumPyArray(map).write(to: directory.appendingPathComponent("stage\(stage + 1).npy"))
                }
            }
            if let labels {
                try NumPyArray.write(
                    segments.flatMap(\.indices), shape: [segments.count, segments[0].height, segments[0].width],
                    to: URL(fileURLWithPath: labels))
            }
            if model.hasClassifier { try NumPyArray(logits).write(to: URL(fileURLWithPath: output)) }
        }
    }
}

extension NumPyArray {
    init(_ tensor: Tensor) {
        self.init(shape: tensor.shape, values: tensor.values)
    }
}
