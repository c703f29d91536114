import Foundation

/// Turns the paths on the command line into image files: a file stands for itself, a folder for the images in it.
enum ImageFinder {
    /// An image to classify, or a path that leads to none.
    enum Found {
        case image(String)
        case failure(path: String, reason: String)

        var path: String {
            switch self {
            case .image(let path), .failure(let path, _): path
            }
        }
    }

    /// File name extensions, in lower case, that make a file in a folder an image.
    static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    /// The images of the arguments, in their order. A folder is walked with its subfolders in the order of the names;
    /// hidden files, other files and links to folders are passed over.
    static func find(_ arguments: [String]) -> [Found] {
        arguments.flatMap { path -> [Found] in
            var isDirectory: ObjCBool = false
            // A missing file is left to the decoder, which says what is wrong with it.
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
                return [.image(path)]
            }
            let found = walk(path)
            return found.isEmpty ? [.failure(path: path, reason: "no JPEG or PNG files in this folder")] : found
        }
    }

    private static func walk(_ folder: String) -> [Found] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            return [.failure(path: folder, reason: "the folder cannot be read: \(error.localizedDescription)")]
        }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name -> [Found] in
            let path = prefix + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            if attributes?[.type] as? FileAttributeType == .typeDirectory { return walk(path) }
            var isDirectory: ObjCBool = false
            guard extensions.contains(URL(fileURLWithPath: name).pathExtension.lowercased()),
                FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue
            else { return [] }
            return [.image(path)]
        }
    }
}
