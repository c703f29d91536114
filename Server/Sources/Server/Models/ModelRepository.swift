public import CETNet
public import Foundation

/// A model that is served, under the name of its folder.
public struct ServedModel: Sendable {
    /// Its name in addresses.
    public let name: String
    /// Its position in the repository.
    let index: Int
    /// The model; computes on the threads of the ``Scheduler``.
    let model: Model

    /// Every model has this one version.
    static let version = "1"
}

/// The models of a folder, loaded once: each folder in it is a model of that name. A folder that is itself a model is a
/// repository of that one.
public struct ModelRepository: Sendable {
    /// The models, by name.
    public let models: [ServedModel]
    /// Folders that were left out because they have no `config.json`.
    public let skipped: [String]

    /// Loads every model of a folder.
    /// - Throws: ``RepositoryError``, and for a model that cannot be used what `Model(contentsOf:options:)` throws.
    public init(path: String, options: ServerOptions) throws {
        let root = URL(fileURLWithPath: path).standardizedFileURL
        func isModel(_ url: URL) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent("config.json").path)
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root.path, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw RepositoryError.noFolder(path: path)
        }
        let folders =
            isModel(root)
            ? [root]
            : try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)
                .filter { url in
                    var isDirectory: ObjCBool = false
                    return !url.lastPathComponent.hasPrefix(".")
                        && FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
                        && isDirectory.boolValue
                }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        skipped = folders.filter { !isModel($0) }.map(\.lastPathComponent)
        models = try folders.filter(isModel).enumerated().map { index, url in
            ServedModel(
                name: url.lastPathComponent, index: index,
                // Its own threads stay unused: the scheduler's sessions run it.
                model: try Model(
                    contentsOf: url, options: .init(precision: options.precision, threads: 1, concurrency: 1)))
        }
        guard !models.isEmpty else { throw RepositoryError.noModels(path: path) }
    }

    /// A repository of models in memory.
    public init(_ models: [(name: String, model: Model)]) {
        self.models = models.enumerated().map { ServedModel(name: $1.name, index: $0, model: $1.model) }
        skipped = []
    }

    /// The model of a name.
    func model(named name: String) -> ServedModel? { models.first { $0.name == name } }
}

/// Why a folder cannot be served.
public enum RepositoryError: Error, Equatable, LocalizedError, CustomStringConvertible {
    /// There is no folder at the path.
    case noFolder(path: String)
    /// No folder in it is a model.
    case noModels(path: String)

    /// What is wrong, in words for a person.
    public var description: String {
        switch self {
        case .noFolder(let path): "\(path): expected a folder with a folder for each model, found none"
        case .noModels(let path): "\(path): expected folders with config.json and model.safetensors, found none"
        }
    }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}
