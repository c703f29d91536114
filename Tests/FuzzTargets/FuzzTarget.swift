import CETNet
import CETNetCheckpoint
import CETNetImaging
import CETNetMemory
import CETNetNetworks
import Foundation
import TestSupport

/// A kind of file that may come from strangers, and what programs do with one.
///
/// Fuzzing, the mutation of files and the tests that replay what these have found all go through ``take(_:)``.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A weights file.
    case safetensors
    /// `model.safetensors.index.json`, beside two shards with the tensors `a` and `b`.
    case shards
    /// Any JSON text.
    case json
    /// `config.json` of this project.
    case configuration
    /// A directory as Transformers or timm write it: `config.json`, the JSON header of the weights file, and how many
    /// bytes of data follow that in decimal, with a zero byte between them.
    case model
    case jpeg, png, numpy
    /// A table of `path,label`.
    case csv

    /// Images with more pixels are refused, so that one takes milliseconds.
    package static let maximumPixels = 1 << 16

    /// What became of a file.
    package enum Outcome: Equatable {
        /// Whether it was taken, or refused with a documented error.
        case taken, refused
        /// A promise that is not kept.
        case broken(String)
    }

    /// Does with bytes what programs do with such a file.
    package func take(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        do {
            return try use(bytes).map { .broken($0) } ?? .taken
        } catch let error {
            guard isDocumented(error) else { return .broken("\(type(of: error)): \(error)") }
            // Messages are made of what the file holds.
            return error.localizedDescription.isEmpty ? .broken("an error without words") : .refused
        }
    }

    private func isDocumented(_ error: any Error) -> Bool {
        switch self {
        case .json: error is JSONSyntaxError
        case .jpeg, .png: error is ImageError
        case .configuration: error is ConfigurationError
        case .safetensors, .shards, .numpy: error is CheckpointError || error is OutOfMemoryError
        case .model: error is CheckpointError || error is ConfigurationError || error is ModelError
        case .csv: false
        }
    }

    /// - Returns: what is wrong with the result, if anything.
    private func use(_ bytes: UnsafeRawBufferPointer) throws -> String? {
        switch self {
        case .safetensors: return try read(SafetensorsFile(contentsOf: Folder.shared.write(bytes, to: "a.safetensors")))
        case .shards: return try read(ShardedSafetensors(index: Folder.shared.write(bytes, to: "shards/index.json")))
        case .json:
            let value = try JSONValue(bytes)
            let again = try Array(value.line.utf8).withUnsafeBytes { try JSONValue($0) }
            return again == value ? nil : "written and read again it is \(again.line)"
        case .configuration:
            let configuration = try ModelConfiguration(json: Data(bytes), source: "config.json")
            let again = try ModelConfiguration(json: JSONEncoder().encode(configuration), source: "config.json")
            return again == configuration ? nil : "written and read again it is \(again)"
        case .model:
            let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            let size = parts.count > 2 ? Int(String(decoding: parts[2], as: UTF8.self)) ?? 0 : 0
            let folder = Folder.shared
            try folder.write(parts[0], to: "model/config.json")
            try folder.write(
                header: parts.count > 1 ? parts[1] : parts[0][..<parts[0].startIndex],
                data: min(max(size, 0), 1 << 30), to: "model/model.safetensors")
            let summary = try ModelSummary(contentsOf: folder.url("model"))
            return summary.parameters > 0 ? nil : "a model without parameters"
        case .jpeg: return try check { try $0.decode(bytes) }
        case .png:
            // Wrong check sums end most files early; with right ones the change is looked at.
            return try check { decoder in
                do { return try decoder.decode(bytes) } catch is ImageError {
                    return try decoder.decode(PNGImage.withCheckSums(Array(bytes)))
                }
            }
        case .numpy:
            let array = try NumPyArray(contentsOf: Folder.shared.write(bytes, to: "a.npy"))
            let isWhole = array.values.count == array.shape.reduce(1, *) && array.values.count <= bytes.count
            return isWhole ? nil : "\(array.values.count) values for \(array.shape)"
        case .csv:
            guard let text = String(bytes: bytes, encoding: .utf8) else { return nil }
            let rows = CSV.rows(text)
            guard let first = rows.first else { return nil }
            let again = CSV.rows(
                CSV.text(titles: first, rows: rows.dropFirst().map { $0.map { JSONValue.string($0) } }))
            return again == rows ? nil : "\(rows) written and read again is \(again)"
        }
    }

    private func check(_ decode: (ImageDecoder) throws -> PixelBuffer) throws -> String? {
        let image = try decode(ImageDecoder(maximumPixels: Self.maximumPixels))
        let isWithinLimits =
            image.width > 0 && image.height > 0 && image.pixelCount <= Self.maximumPixels
            && image.format == .rgb8 && image.bytes.count == 3 * image.pixelCount
        return isWithinLimits ? nil : "\(image.width)x\(image.height), \(image.bytes.count) bytes"
    }

    /// Reads every tensor that can be.
    private func read(_ file: some TensorFile) throws -> String? {
        for tensor in file.tensors where tensor.elementType.isReadableAsFloat {
            let count = try file.values(of: tensor.name).count
            if count != tensor.count { return "\(count) values for \(tensor.shape)" }
        }
        return nil
    }
}

/// A folder for the files of a process, which are written again for each use.
private struct Folder: Sendable {
    static let shared = try! Folder()

    private let root: URL

    private init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("cetnet-fuzz-\(getpid())")
        for name in ["model", "shards"] {
            try FileManager.default.createDirectory(at: url(name), withIntermediateDirectories: true)
        }
        for name in ["a", "b"] {
            let header = #"{"\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
            try write(header: Array(header.utf8), data: 8, to: "shards/\(name).safetensors")
        }
        atexit { try? FileManager.default.removeItem(at: Folder.shared.root) }
    }

    func url(_ name: String) -> URL { root.appendingPathComponent(name) }

    @discardableResult
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> URL {
        try Data(bytes).write(to: url(name))
        return url(name)
    }

    /// A weights file whose data is zeros, which take no room.
    func write(header: some Collection<UInt8>, data: Int, to name: String) throws {
        try write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header, to: name)
        guard truncate(url(name).path, off_t(8 + header.count + data)) == 0 else {
            throw SystemError(code: errno)
        }
    }
}
