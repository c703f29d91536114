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

    /// What the labels of `path` are called, in the order of their names; or the end of the program with status 2.
    static func labels(at path: String) throws(Failure) -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Failure(status: .unusable, message: "\(path): no such file or directory")
        }
        let names = try isDirectory.boolValue ? folders(in: path).map(\.name) : rows(of: path).map(\.label)
        return Set(names).sorted()
    }

    private mutating func add(folder: String, _ known: KnownLabels) throws(Failure) {
        for (name, path) in try Self.folders(in: folder) {
            let label = try known.index(of: name, source: path)
            for image in ImageFinder(decoder: decoder).find([path]) { add(image, label) }
        }
    }

    private mutating func add(table path: String, _ known: KnownLabels) throws(Failure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        for (image, name, row) in try Self.rows(of: path) {
            let label = try known.index(of: name, source: "\(path): row \(row)")
            let file = image.hasPrefix("/") ? image : folder.appendingPathComponent(image).path
            add(.file(file, decoder: decoder), label)
        }
    }

    /// The subfolders, by name.
    private static func folders(in folder: String) throws(Failure) -> [(name: String, path: String)] {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        let names = try Failure.wrap(.unusable) { try FileManager.default.contentsOfDirectory(atPath: folder) }
        return names.sorted().filter { !$0.hasPrefix(".") }.map { ($0, prefix + $0) }.filter { _, path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
        }
    }

    /// The rows of a table, counted from 1, without its titles.
    private static func rows(of path: String) throws(Failure) -> [(image: String, label: String, row: Int)] {
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
        var rows: [(String, String, Int)] = []
        for (index, row) in CSV.rows(text).enumerated() where !(index == 0 && row == ["path", "label"]) {
            guard row.count == 2 else {
                throw Failure(
                    status: .unusable,
                    message: "\(path): row \(index + 1): expected path,label, found \(row.count) cells")
            }
            rows.append((row[0], row[1], index + 1))
        }
        return rows
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
