import Foundation

/// What can be wrong with a file of tensors. Every case names the file; `expected` and `found` are for people.
public enum CheckpointError: Error, Sendable, Equatable {
    /// The file is missing, or may not be read.
    case cannotOpen(file: String, cause: SystemError)
    /// The path leads to a folder, a device or a pipe.
    case notARegularFile(file: String)
    /// Another program changed the size of the file while it was in use.
    case changedWhileReading(file: String, expectedBytes: Int, foundBytes: Int)
    /// The file is of another kind: a pickle of PyTorch, a web page, a Git LFS pointer. `advice` is what to do.
    case notSafetensors(file: String, found: String, advice: String)
    /// The file ends before its last tensor does, as after a download that was cut off.
    case truncated(file: String, expectedBytes: Int, foundBytes: Int)
    /// Another program wrote to the file while it was in use; its size is what it was.
    case contentsChanged(file: String)
    /// The container is damaged. `offset` counts bytes from the start of the file.
    case malformed(file: String, offset: Int, expected: String, found: String)
    /// The container describes a tensor that cannot be.
    case malformedTensor(file: String, tensor: String, expected: String, found: String)
    /// There is no tensor of that name.
    case missingTensor(file: String, tensor: String)
    /// The tensor holds something that is not read as float32.
    case unreadableElementType(file: String, tensor: String, found: ElementType)
    /// The tensors are not those of the model. `layout` says whose names the file was recognised by, and names are in
    /// that layout; `nil` for this project's own.
    case doesNotFit(
        file: String, layout: String?, missing: [String], unexpected: [String], misshapen: [ShapeMismatch])
    /// The file could not be written: no such folder, no permission, disk full.
    case cannotWrite(file: String, cause: SystemError)
}

/// How a person gets from another package's files to a model.
package let converter = "the script convert.py of this project's repository, folder Tools/python,"

/// A tensor that has another shape than the model asks for.
public struct ShapeMismatch: Sendable, Equatable, CustomStringConvertible {
    public let tensor: String
    public let expected: [Int]
    public let found: [Int]

    public init(tensor: String, expected: [Int], found: [Int]) {
        self.tensor = tensor
        self.expected = expected
        self.found = found
    }

    public var description: String { "\(tensor): expected shape \(expected), found \(found)" }
}

extension CheckpointError: CustomStringConvertible, LocalizedError {
    public var errorDescription: String? { description }

    public var description: String {
        switch self {
        case .cannotOpen(let file, let cause):
            "\(file): cannot be opened: \(cause)"
        case .notARegularFile(let file):
            "\(file): expected a regular file, found a folder, device or pipe"
        case .changedWhileReading(let file, let expected, let found):
            "\(file): changed while in use: expected \(expected) bytes, found \(found)"
        case .notSafetensors(let file, let found, let advice):
            "\(file): expected a safetensors file, found \(found); \(advice)"
        case .truncated(let file, let expected, let found):
            "\(file): cut off: its header calls for \(expected) bytes, found \(found); download or copy it again"
        case .contentsChanged(let file):
            "\(file): changed while in use: expected the contents that it was opened with, found others"
        case .malformed(let file, let offset, let expected, let found):
            "\(file): at byte \(offset): expected \(expected), found \(found)"
        case .malformedTensor(let file, let tensor, let expected, let found):
            "\(file): tensor \(quoted(tensor)): expected \(expected), found \(found)"
        case .missingTensor(let file, let tensor):
            "\(file): tensor \(quoted(tensor)) is missing"
        case .unreadableElementType(let file, let tensor, let found):
            "\(file): tensor \(quoted(tensor)): expected elements F32, F16 or BF16, found \(found.rawValue)"
        case .doesNotFit(let file, let layout, let missing, let unexpected, let misshapen):
            "\(file): " + (layout.map { "recognised as \($0), but " } ?? "") + "does not fit the model: "
                + [
                    list("missing", missing), list("unexpected", unexpected),
                    list("of another shape", misshapen.map(\.description)),
                ].compactMap { $0 }.joined(separator: "; ")
        case .cannotWrite(let file, let cause):
            "\(file): cannot be written: \(cause)"
        }
    }

    /// The count and the first few items, or `nil` if there are none.
    private func list(_ what: String, _ items: [String]) -> String? {
        guard !items.isEmpty else { return nil }
        let shown = items.prefix(5).map { printable($0, limit: 200) }.joined(separator: ", ")
        return "\(items.count) \(what) (\(shown)\(items.count > 5 ? ", …" : ""))"
    }
}

/// A text from a file, for an error message: in quotes, control characters escaped, not longer than a line.
package func quoted(_ text: String) -> String {
    "\"" + printable(text, limit: 80) + "\""
}

/// A text from elsewhere as a part of one line: what moves the cursor, ends the line or turns the direction of writing
/// is escaped, so that a name can neither drive a terminal nor pass for a line of its own.
/// - Parameter limit: of the scalars; a longer text ends with "…".
package func printable(_ text: String, limit: Int = .max) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: result += scalar.escaped(asASCII: true)
        // Not those within words and emoji.
        case .format where ("\u{202A}"..."\u{202E}").contains(scalar) || ("\u{2066}"..."\u{2069}").contains(scalar):
            result += scalar.escaped(asASCII: true)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return text.unicodeScalars.index(
        text.unicodeScalars.startIndex, offsetBy: limit, limitedBy: text.unicodeScalars.endIndex
    )
    .map { $0 < text.unicodeScalars.endIndex } == true ? result + "…" : result
}
