import CETNet
import CETNetCheckpoint
import CETNetImaging
import CETNetPublicCheckpoints
import Foundation

/// Images with what they show: a folder with a subfolder for each label, or a CSV of `path,label`.
struct LabelledImages {
    private(set) var images: [Image] = []
    /// For each image the index of its label in the model.
    private(set) var labels: [Int] = []
    private let decoder: ImageDecoder

    /// A table of more bytes is refused: some million images.
    private static let largestTable = 256 << 20

    /// Finds the images of `path`, or ends the program with status 2.
    /// - Parameter names: the model's labels.
    init(at path: String, labels names: [String], decoder: ImageDecoder) throws(Failure) {
        self.decoder = decoder
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Failure(status: .unusable, message: "\(path): no such file or directory")
        }
        let known = KnownLabels(names)
        if isDirectory.boolValue {
            try add(folder: path, known)
        } else {
            try add(table: path, known)
        }
        guard !images.isEmpty else {
            throw Failure(
                status: .unusable,
                message: "\(path): no images; expected a folder with a subfolder of images for each label, or a CSV of "
                    + "path,label")
        }
    }

    private mutating func add(folder: String, _ known: KnownLabels) throws(Failure) {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        let names = try Failure.wrap(.unusable) { try FileManager.default.contentsOfDirectory(atPath: folder) }
        for name in names.sorted() where !name.hasPrefix(".") {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: prefix + name, isDirectory: &isDirectory),
                isDirectory.boolValue
            else { continue }
            let label = try known.index(of: name, source: prefix + name)
            for image in ImageFinder(decoder: decoder).find([prefix + name]) { add(image, label) }
        }
    }

    private mutating func add(table path: String, _ known: KnownLabels) throws(Failure) {
        let bytes = try Failure.wrap(.unusable) {
            let file = try RegularFile(URL(fileURLWithPath: path))
            guard file.count <= Self.largestTable else {
                throw Failure(
                    status: .unusable,
                    message: "\(path): expected a CSV of at most \(Self.largestTable) bytes, found \(file.count)")
            }
            return try file.bytes(0..<file.count)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(status: .unusable, message: "\(path): expected a CSV of path,label in UTF-8")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        for (index, row) in CSV.rows(text).enumerated() where !(index == 0 && row == ["path", "label"]) {
            guard row.count == 2 else {
                throw Failure(
                    status: .unusable,
                    message: "\(path): row \(index + 1): expected path,label, found \(row.count) cells")
            }
            let label = try known.index(of: row[1], source: "\(path): row \(index + 1)")
            let file = row[0].hasPrefix("/") ? row[0] : folder.appendingPathComponent(row[0]).path
            add(.file(file, decoder: decoder), label)
        }
    }

    private mutating func add(_ image: Image, _ label: Int) {
        images.append(image)
        labels.append(label)
    }
}

/// Finds a model's labels by what people call them: by name, by one of ImageNet's names, by WordNet id, by index.
private struct KnownLabels {
    private let names: [String]
    private var indices: [String: Int] = [:]

    init(_ names: [String]) {
        self.names = names
        // What is most certain comes last, and stays.
        for index in names.indices { indices[String(index)] = index }
        if names == ImageNetLabels.all {
            for (index, synonyms) in names.enumerated() {
                for name in synonyms.split(separator: ", ") { indices[name.lowercased()] = index }
            }
            for (index, id) in ImageNetLabels.wordNetIDs.enumerated() { indices[id] = index }
        }
        for (index, name) in names.enumerated() { indices[name.lowercased()] = index }
        for (index, name) in names.enumerated() { indices[name] = index }
    }

    func index(of name: String, source: String) throws(Failure) -> Int {
        if let index = indices[name] ?? indices[name.lowercased()] { return index }
        let hint =
            Spelling.nearest(to: name, among: names).map { "did you mean \"\($0)\"?" }
            ?? "the model has \(names.count) labels, \"\(names[0])\" to \"\(names[names.count - 1])\""
        throw Failure(status: .unusable, message: "\(source): \"\(name)\" is no label of the model; \(hint)")
    }
}
