import Foundation

/// The tensors of a checkpoint that is cut into several safetensors files, as Hugging Face's packages cut large ones.
///
/// `model.safetensors.index.json` maps, under `weight_map`, each tensor's name to the file beside it that holds the
/// tensor, `model-00001-of-00002.safetensors` for instance. All files are opened and checked at once.
public final class ShardedSafetensors: TensorFile {
    /// The path of the index, as error messages name it.
    public let sourceName: String
    public let tensors: [TensorInfo]
    private let files: [SafetensorsFile]
    /// Which of the files holds a tensor.
    private let places: [String: Int]

    /// Far more than a large model is cut into.
    private static let largestFileCount = 1024

    /// Opens the files that an index names.
    /// - Throws: ``CheckpointError`` if the index is none, names a file that is not beside it, or names another file
    ///   for a tensor than the one that holds it; and what opening each file throws.
    public init(index url: URL) throws {
        let index = try RegularFile(url)
        let path = index.path
        func malformed(_ offset: Int, _ expected: String, _ found: String) -> CheckpointError {
            .malformed(file: path, offset: offset, expected: expected, found: found)
        }
        let json: JSONValue
        do {
            json = try index.bytes(0..<index.count).withUnsafeBytes { try JSONValue($0) }
        } catch let error as JSONSyntaxError {
            throw malformed(error.offset, error.expected, error.found)
        }
        guard case .object(let members) = json,
            case .object(let rows)? = members.first(where: { $0.key == "weight_map" })?.value, !rows.isEmpty
        else { throw malformed(0, "an object with \"weight_map\", which maps tensors to files", "none") }

        var named: [String: String] = [:]
        for row in rows {
            guard case .string(let name) = row.value, !name.isEmpty, name != "..",
                !name.utf8.contains(UInt8(ascii: "/"))
            else {
                throw CheckpointError.malformedTensor(
                    file: path, tensor: row.key, expected: "the name of a file in the same folder",
                    found: row.value.description)
            }
            named[row.key] = name
        }
        var names: [String] = []
        for name in named.values.sorted() where names.last != name { names.append(name) }
        guard names.count <= Self.largestFileCount else {
            throw malformed(0, "at most \(Self.largestFileCount) files", "\(names.count)")
        }
        let folder = url.deletingLastPathComponent()
        let files = try names.map { try SafetensorsFile(contentsOf: folder.appendingPathComponent($0)) }
        var places: [String: Int] = [:]
        for (place, file) in files.enumerated() {
            for tensor in file.tensors {
                guard named[tensor.name] == names[place] else {
                    throw CheckpointError.malformedTensor(
                        file: path, tensor: tensor.name, expected: "\(names[place]), which holds it",
                        found: named[tensor.name].map(quoted) ?? "no entry")
                }
                places[tensor.name] = place
            }
        }
        // Whatever else the index promises is missing from the file that it names.
        if let missing = rows.map(\.key).first(where: { places[$0] == nil }) {
            throw CheckpointError.missingTensor(
                file: folder.appendingPathComponent(named[missing]!).path, tensor: missing)
        }
        sourceName = path
        tensors = files.flatMap(\.tensors)
        (self.files, self.places) = (files, places)
    }

    public func info(_ name: String) -> TensorInfo? { places[name].flatMap { files[$0].info(name) } }

    public func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        try file(of: name).read(name, into: destination)
    }

    public func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        try file(of: name).withValues(of: name, body)
    }

    public func withIntegers<R>(of name: String, _ body: (UnsafeBufferPointer<Int8>) throws -> R) throws -> R {
        try file(of: name).withIntegers(of: name, body)
    }

    private func file(of name: String) throws -> SafetensorsFile {
        guard let place = places[name] else { throw CheckpointError.missingTensor(file: sourceName, tensor: name) }
        return files[place]
    }
}
