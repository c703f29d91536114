import ArgumentParser
import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation

struct Preprocess: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the tensor that a model would see of an image.",
        discussion: """
            Decodes the image, resizes, crops and normalises it as the model's configuration says, and writes the \
            float32 (1, 3, H, W) array in NumPy's format. Nothing is written if the image cannot be read (status 1).

            EXAMPLES
              cetnet preprocess --model models/digits photo.jpg --output x.npy
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: "A JPEG or PNG file.")
    var image: String

    @Option(name: .long, help: ArgumentHelp("The .npy file to write.", valueName: "x.npy"))
    var output: String

    func run() throws {
        let model = try model.model.load(threads: 1)
        let tensor = try Failure.wrap(.inputsFailed) {
            try model.preprocess(.file(image))
        }
        try Failure.wrap(.unusable) {
            try NumPyArray(tensor).write(to: URL(fileURLWithPath: output))
        }
    }
}
