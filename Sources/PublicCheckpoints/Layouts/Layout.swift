import CETNetCheckpoint
import CETNetNetworks
import Foundation

/// The names that a package gives to the tensors of a backbone: a table from this project's names to theirs.
///
/// Names are those of modules, whose `weight`, `bias`, `running_mean` and `running_var` follow them, or of parameters
/// that stand alone. `Resources/layouts.json` holds the tables, which the Python tools read too. `{n}` stands for the
/// index of a stage, `{n+1}`, `{n-1}`, `{2n}` and `{2n+1}` for what they say; a name without them goes before one with.
package struct Layout: Sendable {
    /// What messages call it, for instance `torchvision's Swin Transformer`.
    package let name: String
    /// What its models say about an image.
    package let task: ModelConfiguration.Task
    /// The backbone.
    package let block: ModelConfiguration.Block
    /// How the names of tensors begin that its files hold and nobody needs: heads that help training.
    private let ignored: [String]
    /// Their names of what lies outside the blocks.
    private let modules: [String: [String]]
    /// Their path of a stage's blocks, which the index of a block follows: `layers.{n}.blocks`.
    private let blocks: String
    /// Their names of what lies in a block; several where a tensor is one here but several there, in the order of rows.
    private let blockModules: [String: [String]]

    /// What the layout calls one of this project's tensors; nothing if it has no name for it.
    package func theirNames(of name: String, depths: [Int]) -> [String] { names(depths: depths)[name] ?? [] }

    /// What the tensors of a file call it that this project calls `name`.
    package func theirNames(of name: String, depths: [Int], in file: any TensorFile) -> [String] {
        names(depths: depths, in: file)[name] ?? []
    }

    /// The whole table for stages of these numbers of blocks.
    func names(depths: [Int]) -> TensorNames {
        var names: [String: [String]] = [:]
        // Beside the stages a head has branches, which are numbered too.
        for index in 0..<max(depths.count, Self.mostBranches) {
            for (ours, theirs) in modules { names[ours.of(stage: index)] = theirs.map { $0.of(stage: index) } }
        }
        let prefix = task == .classification ? "" : "backbone."
        for (stage, depth) in depths.enumerated() {
            for index in 0..<depth {
                let path = "\(blocks.of(stage: stage)).\(index)."
                for (ours, theirs) in blockModules {
                    names["\(prefix)stages.\(stage).blocks.\(index).\(ours)"] = theirs.map { path + $0 }
                }
            }
        }
        names.merge(modules) { _, explicit in explicit }
        return TensorNames(modules: names)
    }

    /// UPerNet's pyramid pooling has no more.
    private static let mostBranches = 16

    /// Whether a tensor of a file is one that nobody needs.
    func isIgnored(_ name: String) -> Bool { Self.isComputed(name) || ignored.contains(where: name.hasPrefix) }

    /// The table for the tensors of a file: Transformers saves a backbone alone, `SwinModel` and its like, without
    /// the prefix that it has inside a classifier.
    func names(depths: [Int], in file: any TensorFile) -> TensorNames {
        let names = names(depths: depths)
        guard let dot = blocks.firstIndex(of: "."), name.hasPrefix("Transformers'"), task == .classification else {
            return names
        }
        let prefix = String(blocks[...dot])
        guard !file.tensors.contains(where: { $0.name.hasPrefix(prefix) }) else { return names }
        return TensorNames(
            modules: names.modules.mapValues {
                $0.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
            })
    }
}

extension String {
    /// What a name of a table is for a stage.
    fileprivate func of(stage n: Int) -> String {
        guard utf8.contains(UInt8(ascii: "{")) else { return self }
        let values = ["{n}": n, "{n-1}": n - 1, "{n+1}": n + 1, "{2n}": 2 * n, "{2n+1}": 2 * n + 1]
        return values.reduce(self) { $0.replacing($1.key, with: String($1.value)) }
    }
}

/// What a layout calls the tensors of this project.
struct TensorNames {
    fileprivate let modules: [String: [String]]

    /// The layout's names of one tensor, or `nil` if it has none for it.
    subscript(name: String) -> [String]? {
        // A parameter that stands alone, or a module's weight, bias or statistic.
        if let names = modules[name] { return names }
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return modules[String(name[..<dot])]?.map { $0 + name[dot...] }
    }
}

extension Layout {
    /// All layouts whose checkpoints are recognised by their tensors' names.
    package static var all: [Layout] { table.layouts }

    static func named(_ name: String) -> Layout {
        guard let layout = all.first(where: { $0.name == name }) else { preconditionFailure("no layout \(name)") }
        return layout
    }

    /// Tensors that are computed and not learned. Packages save some of them; they are not read.
    static func isComputed(_ name: String) -> Bool {
        table.computed.contains(String(name.split(separator: ".").last ?? ""))
    }

    private static let table: (computed: Set<String>, layouts: [Layout]) = {
        do {
            return try read(json: Data(PackageResources.layouts_json), source: "layouts.json")
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Reads tables of names.
    /// - Throws: ``ConfigurationError`` that names `source` and the key, `layouts.3.blocks` for instance.
    package static func read(
        json data: Data, source: String
    ) throws(ConfigurationError) -> (computed: Set<String>, layouts: [Layout]) {
        var reader = try ConfigurationReader(ModelConfiguration.parse(json: data, source: source), source: source)
        guard let computed = try reader.strings("computed") else { throw reader.missing("computed") }
        var layouts: [Layout] = []
        for var table in try reader.objects("layouts") ?? [] {
            // Other values than in ours, which only converting a file puts right.
            guard try table.string("merging") == nil else { continue }
            layouts.append(try Layout(table))
        }
        try reader.refuseUnknownKeys()
        return (Set(computed), layouts)
    }

    private init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        var reader = reader
        guard let name = try reader.string("name") else { throw reader.missing("name") }
        guard let block = try reader.choice("block", among: ModelConfiguration.Block.allCases) else {
            throw reader.missing("block")
        }
        guard let blocks = try reader.string("blocks") else { throw reader.missing("blocks") }
        (self.name, self.block, self.blocks) = (name, block, blocks)
        task = try reader.choice("task", among: ModelConfiguration.Task.allCases) ?? .classification
        ignored = try reader.strings("ignored") ?? []
        modules = try reader.names("modules")
        let same = try reader.strings("same") ?? []
        blockModules = try reader.names("renamed").merging(same.map { ($0, [$0]) }) { _, new in new }
        // For the tools that have a port's weights without the port's configuration.
        try reader.refuseUnknownKeys(ignoring: ["computes"])
    }
}

extension ConfigurationReader {
    /// An object of names, several where there is an array of them; empty where it is absent.
    fileprivate mutating func names(_ key: String) throws(ConfigurationError) -> [String: [String]] {
        guard var object = try object(key) else { return [:] }
        var names: [String: [String]] = [:]
        for key in object.keys {
            if case .string(let name)? = object.value(key) {
                names[key] = [name]
            } else {
                names[key] = try object.strings(key)
            }
        }
        return names
    }
}
