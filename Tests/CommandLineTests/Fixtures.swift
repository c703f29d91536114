import CETNet
import Foundation
import TestSupport

/// A temporary directory with the tiny model under the name `tiny`.
func directoryWithTinyModel() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try ModelConfiguration(json: Data(TinyModel.configurationJSON.utf8), source: "the tiny model")
        .writeRandomModel(seed: 1, to: directory.url.appendingPathComponent("tiny"))
    return directory
}

/// One line of JSON as Foundation reads it.
func json(_ line: String) throws -> [String: Any] {
    struct NotAnObject: Error { let line: String }
    guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw NotAnObject(line: line)
    }
    return object
}

/// The keys of a one-line JSON object's text in the order in which they are written, objects inside it included.
func keys(_ line: String) -> [String] {
    line.matches(of: #/"([a-z_0-9]+)": /#).map { String($0.1) }
}
