import ArgumentParser
import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation

struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the vectors that a model's classifier reads of images.",
        discussion: """
            The embedding of an image is the vector in front of the classifier: the mean of the last stage's tokens \
            after the final norm, or the class token where there is one. A backbone without classifier has it too. \
            Images that look alike to the model have embeddings that are near each other.

            Writes a float32 (images, channels) array in NumPy's format and, with --paths, a CSV with the path of each \
            row. An IMAGE is a file or a folder, as for 'cetnet classify'. An image that cannot be read is named and \
            gets no row; the exit status is then 1.

            EXAMPLES
              cetnet embed --model models/digits models/digits/images --output x.npy --paths x.csv
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: ArgumentHelp("JPEG or PNG files, or folders of them.", valueName: "image"))
    var images: [String]

    @Option(name: .long, help: ArgumentHelp("The .npy file to write.", valueName: "x.npy"))
    var output: String

    @Option(name: .long, help: ArgumentHelp("Write the path of each row to this file.", valueName: "x.csv"))
    var paths: String?

    @OptionGroup var batch: BatchOption

    @OptionGroup var decoding: DecodingOptions

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        try OutputFile.check(output, paths)
        let model = try model.model.load(precision: precision.precision, threads: threads.threads)
        let found = ImageFinder(decoder: decoding.decoder).find(images)
        let (bar, dimension) = (ProgressBar(total: found.count, noun: "images"), model.embeddingDimension)
        var rows: [Int] = []
        try Failure.wrap(.unusable) {
            // How many rows there will be is known when all images have been read, and stands at the file's start.
            let spool = try Spool(recordBytes: dimension * MemoryLayout<Float>.stride)
            try model.embeddings(found, batch: batch.batch) { index, result in
                switch result {
                case .success(let embedding):
                    try embedding.withUnsafeBytes { try spool.write($0, at: rows.count) }
                    rows.append(index)
                case .failure(let error):
                    bar.clear()
                    Console.report(error, of: found[index])
                }
                bar.show(index + 1)
            }
            bar.clear()
            try NumPyArray.write(shape: [rows.count, dimension], to: URL(fileURLWithPath: output)) { writer in
                var row = [Float](repeating: 0, count: dimension)
                for index in rows.indices {
                    try row.withUnsafeMutableBytes { try spool.read(into: $0, at: index) }
                    try row.withUnsafeBufferPointer { try writer.write($0) }
                }
            }
            if let paths {
                try OutputFile.write(
                    CSV.text(titles: ["path"], rows: rows.map { [.string(found[$0].name)] }), to: paths)
            }
        }
        if rows.count < found.count {
            throw Failure(
                status: .inputsFailed,
                message: "\(found.count - rows.count) of \(found.count) images could not be embedded")
        }
    }
}
