import CETNet
import CETNetImaging
import Foundation

/// Turns the paths on the command line into image files: a file stands for itself, a folder for the images in it.
struct ImageFinder {
    /// How the images are decoded.
    var decoder = ImageDecoder()

    /// File name extensions, in lower case, that make a file in a folder an image.
    static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    /// The images of the arguments, in their order. A folder is walked with its subfolders in the order of the names;
    /// hidden files, other files and links to folders are passed over.
    func find(_ arguments: [String]) -> [Image] {
        var unreadable = Path.notUTF8(
            Array(
                UnsafeBufferPointer(
                    start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))))
        return arguments.flatMap { argument -> [Image] in
            var path = Path(argument)
            if let index = unreadable.firstIndex(where: { $0.text == argument }) { path = unreadable.remove(at: index) }
            // A missing file is left to the decoder, which says what is wrong with it.
            guard path.type(followingLinks: true) == S_IFDIR else { return [image(path)] }
            let found = walk(path)
            return found.isEmpty ? [none(path, "no JPEG or PNG files in this folder")] : found
        }
    }

    private func image(_ path: Path) -> Image { .file(bytes: path.bytes, name: path.text, decoder: decoder) }

    /// Stands where a path leads to no image, and says why when it is read.
    private func none(_ path: Path, _ reason: String) -> Image {
        Image(name: path.text) { throw Failure(status: .inputsFailed, message: reason) }
    }

    private func walk(_ folder: Path) -> [Image] {
        guard let names = folder.names() else {
            return [none(folder, "the folder cannot be read: \(String(cString: strerror(errno)))")]
        }
        return names.filter { !$0.text.hasPrefix(".") }.sorted().flatMap { name -> [Image] in
            let path = folder.appending(name)
            if path.type(followingLinks: false) == S_IFDIR { return walk(path) }
            guard Self.extensions.contains(URL(fileURLWithPath: name.text).pathExtension.lowercased()) else {
                return []
            }
            switch path.type(followingLinks: true) {
            case S_IFREG: return [image(path)]
            case S_IFDIR, nil: return []
            // Nobody may ever write to a pipe.
            default: return [none(path, "expected a regular file, found a device or pipe")]
            }
        }
    }
}

/// A path as the system has it, in bytes: names need not be UTF-8.
private struct Path: Comparable {
    let bytes: [UInt8]
    /// For people; what is not UTF-8 is replaced by U+FFFD.
    let text: String

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        text = String(decoding: bytes, as: UTF8.self)
    }

    init(_ text: String) { self.init(Array(text.utf8)) }

    private init(_ name: UnsafePointer<CChar>) {
        self.init(UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) })
    }

    /// Those of a program's arguments whose text is not what was typed.
    static func notUTF8(_ arguments: [UnsafeMutablePointer<CChar>?]) -> [Path] {
        arguments.compactMap { $0.map { Path($0) } }.filter { Array($0.text.utf8) != $0.bytes }
    }

    static func < (a: Path, b: Path) -> Bool {
        a.text == b.text ? a.bytes.lexicographicallyPrecedes(b.bytes) : a.text < b.text
    }

    func appending(_ name: Path) -> Path {
        Path(bytes + (bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name.bytes)
    }

    private func withName<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBytes { body($0.bindMemory(to: CChar.self).baseAddress!) }
    }

    /// What is there, `S_IF…`; `nil` for nothing.
    func type(followingLinks: Bool) -> mode_t? {
        var status = stat()
        let result = withName { followingLinks ? stat($0, &status) : lstat($0, &status) }
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    /// The names in a folder; `nil` with `errno` set if it cannot be read.
    func names() -> [Path]? {
        guard let folder = withName({ opendir($0) }) else { return nil }
        defer { closedir(folder) }
        var names: [Path] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 1) { Path($0) }
                })
        }
        return names
    }
}
