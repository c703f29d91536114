import CETNet
import CETNetImaging
import Foundation

/// Turns the paths on the command line into image files: a file stands for itself, a folder for the images in it.
enum ImageFinder {
    /// File name extensions, in lower case, that make a file in a folder an image.
    static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    /// The images of the arguments, in their order. A folder is walked with its subfolders in the order of the names;
    /// hidden files, other files and links to folders are passed over.
    static func find(_ arguments: [String]) -> [Image] {
        arguments.flatMap { path -> [Image] in
            var isDirectory: ObjCBool = false
            // A missing file is left to the decoder, which says what is wrong with it.
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
                return [.file(path)]
            }
            let found = walk(path)
            return found.isEmpty ? [none(path, "no JPEG or PNG files in this folder")] : found
        }
    }

    /// Stands where a path leads to no image, and says why when it is read.
    private static func none(_ path: String, _ reason: String) -> Image {
        Image(name: path) { throw Failure(status: .inputsFailed, message: reason) }
    }

    private static func walk(_ folder: String) -> [Image] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            return [none(folder, "the folder cannot be read: \(error.localizedDescription)")]
        }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name -> [Image] in
            let path = prefix + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            if attributes?[.type] as? FileAttributeType == .typeDirectory { return walk(path) }
            var isDirectory: ObjCBool = false
            guard extensions.contains(URL(fileURLWithPath: name).pathExtension.lowercased()),
                FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue
            else { return [] }
            return [.file(path)]
        }
    }
}
