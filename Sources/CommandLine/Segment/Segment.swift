import ArgumentParser
import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation

struct Segment: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Label every pixel of images.",
        discussion: """
            An IMAGE is a JPEG or PNG file, or a folder, as for 'cetnet classify'. For each image the labels are printed \
            that cover the most of it. With --output a PNG file of the image's size is written for each, named as the \
            image, whose values are the labels' indices; with --overlay also NAME-overlay.png, the labels' colours over \
            the image, with a legend. Colours depend on a label's index alone. An image that cannot be read does not stop \
            the others; the exit status is then 1.

            By default an image is squashed to the model's size and its labels resized to the image's. With --tile it is \
            seen at its own size, in overlapping squares whose logits are averaged, which suits images that are much \
            larger than the model's.

            With --json one line is printed for each image, in order: {"path", "width", "height", "labels": [{"index", \
            "label", "share"}]}, with "output" and "overlay" where files were written, or {"path", "error"}.

            EXAMPLES
              cetnet segment --model upernet-swin-small --output labels --overlay street.jpg
              cetnet segment --model upernet-swin-small --json photos/
              cetnet segment --model upernet-swin-small --tile 512 --stride 341 --output labels aerial.png
            """)

    @OptionGroup var model: ModelOption

    @Argument(help: ArgumentHelp("JPEG or PNG files, or folders of them.", valueName: "image"))
    var images: [String]

    @Option(
        name: .long,
        help: ArgumentHelp("The directory to write label maps to; made if there is none.", valueName: "directory"))
    var output: String?

    @Flag(name: .long, help: "Also write the labels' colours over the image, with a legend.")
    var overlay = false

    @Option(
        name: .long,
        help: ArgumentHelp("See the image at its own size, in squares of N pixels a side.", valueName: "n"))
    var tile: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Pixels from one square to the next (default: two thirds of --tile).", valueName: "n"))
    var stride: Int?

    @Option(name: .long, help: ArgumentHelp("How many labels to print for each image.", valueName: "n"))
    var top = 5

    @Option(
        name: .long, help: ArgumentHelp("Refuse images with more pixels.", valueName: "n"))
    var maxPixels = ImageDecoder().maximumPixels

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var threads: ThreadsOption

    @Flag(help: "Print one JSON object per image and line.")
    var json = false

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top is \(top); allowed is 1 or more.") }
        try Allowed.check("tile", tile, 32...4096)
        guard tile != nil || stride == nil else { throw ValidationError("--stride goes with --tile.") }
        if let tile { try Allowed.check("stride", stride, 1...tile) }
        guard output != nil || !overlay else { throw ValidationError("--overlay goes with --output.") }
        try Allowed.check("max-pixels", maxPixels, 1...PixelBuffer.maximumPixels)
    }

    func run() throws {
        let model = try model.model.load(precision: precision.precision, threads: threads.threads)
        let found = ImageFinder(decoder: ImageDecoder(maximumPixels: maxPixels)).find(images)
        let folder = try output.map { path throws(Failure) in try OutputFile.directory(path) }
        let names = Self.fileNames(found.map(\.name))
        let mode = tile.map { SegmentationMode.tiles(side: $0, stride: stride ?? max(1, $0 * 2 / 3)) } ?? .whole
        let bar = ProgressBar(total: found.count, noun: "images")
        bar.show(0)
        var (failures, done) = (0, 0)
        try Failure.wrap(.unusable) {
            try model.segment(found, mode: mode) { index, result in
                let path = found[index].name
                bar.clear()
                do {
                    let map = try result.get()
                    let files = try folder.map { folder throws(Failure) in
                        try Failure.wrap(.unusable) {
                            try write(map, of: found[index], as: names[index], in: folder)
                        }
                    }
                    try Console.print(json ? jsonLine(path, map, files) : table(path, map))
                } catch let failure as Failure {
                    throw failure
                } catch {
                    if case ModelError.outOfMemory = error { throw error }
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
        }
        bar.clear()
        if failures > 0 {
            throw Failure(
                status: .inputsFailed,
                message: "\(failures) of \(found.count) image\(found.count == 1 ? "" : "s") could not be segmented")
        }
    }

    /// Names of files for images: theirs without the ending, numbered where several have the same.
    static func fileNames(_ paths: [String]) -> [String] {
        var taken: Set<String> = []
        return paths.map { path in
            let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            var unique = name
            var number = 2
            while !taken.insert(unique).inserted {
                unique = "\(name)-\(number)"
                number += 1
            }
            return unique
        }
    }

    private func write(
        _ map: SegmentationMap, of image: Image, as name: String, in folder: URL
    ) throws -> (output: URL, overlay: URL?) {
        let file = folder.appendingPathComponent(name + ".png")
        try AtomicFile.write(map.png(), to: file)
        guard overlay else { return (file, nil) }
        let picture = folder.appendingPathComponent(name + "-overlay.png")
        try AtomicFile.write(map.overlay(on: image.pixelBuffer()).png(), to: picture)
        return (file, picture)
    }

    private func table(_ path: String, _ map: SegmentationMap) -> String {
        ([path] + map.shares.prefix(top).map { "  \(Figures.percent(Float($0.share)))  \($0.label)" })
            .map { printable($0) }.joined(separator: "\n")
    }

    private func jsonLine(_ path: String, _ map: SegmentationMap, _ files: (output: URL, overlay: URL?)?) -> String {
        let labels = map.shares.map { share -> JSONValue in
            ["index": .integer(share.index), "label": .string(share.label), "share": .number(share.share)]
        }
        var members: [JSONValue.Member] = [
            .init("path", .string(path)), .init("width", .integer(map.width)), .init("height", .integer(map.height)),
            .init("labels", .array(labels)),
        ]
        if let files {
            members.append(.init("output", .string(files.output.path)))
            if let overlay = files.overlay { members.append(.init("overlay", .string(overlay.path))) }
        }
        return JSONValue.object(members).line
    }
}
