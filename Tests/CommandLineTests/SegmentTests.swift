import CETNet
import CETNetCheckpoint
import CETNetImaging
import Foundation
import TestSupport
import Testing

@Suite struct SegmentTests {
    /// A directory with a small segmentation model, `model`, and two pictures.
    private func directory() throws -> TemporaryDirectory {
        let directory = try directoryWithTinyModel()
        let json = """
            {"model_type": "cetnet", "task": "segmentation", "dims": [16, 16, 24, 32], "depths": [1, 1, 1, 1],
             "num_heads": [1, 2, 2, 2], "mlp_ratios": [1, 1, 1, 1], "stem_channels": [8, 8], "image_size": 64,
             "head": {"type": "upernet", "hidden_size": 16}, "num_labels": 20}
            """
        try ModelConfiguration(json: Data(json.utf8), source: "test").writeRandomModel(
            seed: 3, to: directory.url.appendingPathComponent("model"))
        try directory.write(PNGImage.pattern(width: 90, height: 47, seed: 1), to: "a.png")
        try directory.write(PNGImage.pattern(width: 33, height: 70, seed: 2), to: "more/a.png")
        return directory
    }

    @Test func writesLabelsAndOverlays() throws {
        let directory = try directory()
        let paths = ["a.png", "missing.png", "more/a.png"].map { directory.path($0) }
        let command = try Command(
            [
                "segment", "--model", directory.path("model"), "--output", directory.path("out/of/it"), "--overlay",
                "--json",
            ]
                + paths)
        #expect(command.status == 1)
        #expect(command.errors.contains("1 of 3 images could not be segmented"), "\(command.errors)")
        #expect(command.lines.count == 3)
        let model = try Model(path: directory.path("model"))
        for (index, name) in [(0, "a"), (2, "a-2")] {
            let map = try model.segment(.file(paths[index]))
            let line = try json(command.lines[index])
            #expect(line["path"] as? String == paths[index])
            #expect(line["width"] as? Int == map.width && line["height"] as? Int == map.height)
            let labels = try #require(line["labels"] as? [[String: Any]])
            #expect(labels.map { $0["index"] as? Int } == map.shares.map(\.index))
            // Foundation's JSON reader loses the last digit.
            for (label, share) in zip(labels, map.shares) {
                let written = try #require(label["share"] as? Double)
                #expect(abs(written - share.share) < 1e-14, "\(written), \(share.share)")
            }
            // The picture's colours are the palette's of the labels.
            let file = directory.path("out/of/it/\(name).png")
            #expect(line["output"] as? String == file)
            let picture = try Image.file(file).pixelBuffer()
            let palette = Palette(labels: 20)
            #expect(picture.width == map.width && picture.height == map.height)
            let colors = map.indices.flatMap { index in
                [palette[label: Int(index)].x, palette[label: Int(index)].y, palette[label: Int(index)].z]
            }
            #expect(picture.bytes == colors, "\(name)")
            // Indexed: of the kind 3, as the byte behind the bits says.
            #expect(try Data(contentsOf: URL(fileURLWithPath: file))[25] == 3)
            let overlay = try Image.file(directory.path("out/of/it/\(name)-overlay.png")).pixelBuffer()
            #expect(overlay.width > map.width && overlay.height >= map.height)
        }
        #expect(try json(command.lines[1])["error"] as? String == "\(paths[1]): no such file")
    }

    @Test func aTableForPeopleAndTiles() throws {
        let directory = try directory()
        let image = directory.path("a.png")
        let command = try Command(
            "segment", "--model", directory.path("model"), "--tile", "40", "--stride", "30", "--top", "2", image)
        #expect(command.status == 0, "\(command.errors)")
        let map = try Model(path: directory.path("model")).segment(.file(image), mode: .tiles(side: 40, stride: 30))
        let shares = map.shares.prefix(2).map { String(format: "  %6.2f %%  ", $0.share * 100) + $0.label }
        #expect(command.lines == [image] + shares)
    }

    @Test func whatCannotBeUsed() throws {
        let directory = try directory()
        let image = directory.path("a.png")
        for (arguments, expected) in [
            (["--model", directory.path("tiny"), image], "the model is for classification, not for segmentation"),
            (["--model", directory.path("model"), "--overlay", image], "--overlay goes with --output"),
            (["--model", directory.path("model"), "--stride", "8", image], "--stride goes with --tile"),
            (["--model", directory.path("model"), "--tile", "31", image], "--tile is 31; allowed are 32 to 4096"),
        ] {
            let command = try Command(["segment"] + arguments)
            #expect(command.status == 2 && command.output == "", "\(arguments)")
            #expect(command.errors.contains(expected), "\(command.errors)")
        }
        let other = try Command("classify", "--model", directory.path("model"), image)
        #expect(other.status == 2 && other.errors.contains("the model is for segmentation, not for classification"))
    }

    /// `cetnet run`: logits, normalised maps and labels.
    @Test func run() throws {
        let directory = try directory()
        let tensor = try Tensor(shape: [2, 3, 45, 70], values: TinyModel.pixels(2 * 3 * 45 * 70, seed: 4))
        try NumPyArray(shape: tensor.shape, values: tensor.values)
            .write(to: directory.url.appendingPathComponent("x.npy"))
        let model = try Model(path: directory.path("model"))
        let command = try Command(
            "run", "--model", directory.path("model"), "--input", directory.path("x.npy"), "--output",
            directory.path("y.npy"), "--features", directory.path("maps"), "--labels", directory.path("labels.npy"))
        #expect(command.status == 0, "\(command.errors)")
        let logits = try NumPyArray(contentsOf: directory.url.appendingPathComponent("y.npy"))
        #expect(logits.shape == [2, 20, 12, 18])
        #expect(try logits.values == model.logits(tensor).values)
        let stage = try NumPyArray(contentsOf: directory.url.appendingPathComponent("maps/stage1.npy"))
        #expect(try stage.values == model.features(tensor)[0].values)
        let labels = try Data(contentsOf: directory.url.appendingPathComponent("labels.npy"))
        let indices = try model.segment(tensor).flatMap(\.indices)
        #expect(
            String(decoding: labels[10..<80], as: UTF8.self).contains(
                "'<i4', 'fortran_order': False, 'shape': (2, 45, 70)"))
        #expect(labels.suffix(4 * indices.count) == indices.withUnsafeBytes { Data($0) })

        let refused = try Command(
            "run", "--model", directory.path("tiny"), "--input", directory.path("x.npy"), "--output",
            directory.path("z.npy"), "--labels", directory.path("l.npy"))
        #expect(refused.status == 2 && refused.errors.contains("--labels: the model is for classification"))
    }
}
