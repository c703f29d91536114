import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

extension TemporaryDirectory {
    func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Writes a file and returns where. Waits for no disk, as overwriting a file or `Data.write(to:)` would, since some
    /// tests write thousands.
    func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> URL {
        let url = file(name)
        unlink(url.path)
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try #require(descriptor >= 0, "\(url.path)")
        defer { close(descriptor) }
        try Array(bytes).withUnsafeBytes { try FileWriter(descriptor: descriptor, path: url.path).write($0) }
        return url
    }

    var contents: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() } }
}

/// A file committed beside the tests; `Tools/python/make_checkpoint_fixtures.py` makes them.
func fixture(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/" + name, withExtension: nil), "fixture \(name)")
}

/// A safetensors file of a header and that many bytes of data, 0, 1, 2, ….
func safetensors(_ header: String, data count: Int, headerLength: UInt64? = nil) -> [UInt8] {
    withUnsafeBytes(of: (headerLength ?? UInt64(header.utf8.count)).littleEndian, Array.init)
        + header.utf8 + (0..<count).map { UInt8(truncatingIfNeeded: $0) }
}

/// What an operation throws, as people read it, without the folder; `nil` if it throws nothing.
func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as CheckpointError {
        let text = String(describing: error)
        return text.firstIndex(of: ":").map { end in
            (text[..<end].split(separator: "/").last.map(String.init) ?? "") + text[end...]
        }
    } catch {
        return "another type of error: \(error)"
    }
}

/// Element i is (i − 5) / 4, as in the committed files.
func ramp(_ count: Int) -> [Float] { (0..<count).map { (Float($0) - 5) / 4 } }
