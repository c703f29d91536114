import CETNetNetworks

/// The names that a package gives to the tensors of a backbone: a table from this project's names to theirs.
///
/// Names are those of modules, whose `weight`, `bias`, `running_mean` and `running_var` follow them, or of parameters
/// that stand alone. One file in this folder per backbone holds the tables of all packages that publish it.
package struct Layout: Sendable {
    /// What messages call it, for instance `torchvision's Swin Transformer`.
    package let name: String
    /// The backbone.
    package let block: ModelConfiguration.Block
    /// What lies outside the stages: this project's names, and theirs.
    let ends: [String: String]
    /// What lies in a stage beside its blocks, by the stage's index; this project's names are whole paths.
    let stage: @Sendable (Int) -> [String: String]
    /// Their path of a stage's blocks, which the index of a block follows: `layers.0.blocks`.
    let blocks: @Sendable (Int) -> String
    /// What lies in a block.
    let blockNames: [String: String]
    /// What lies in a block and is one tensor here but several there, in the order of its rows.
    let packedBlockNames: [String: [String]]

    init(
        _ name: String, block: ModelConfiguration.Block, ends: [String: String],
        stage: @escaping @Sendable (Int) -> [String: String], blocks: @escaping @Sendable (Int) -> String,
        blockNames: [String: String], packedBlockNames: [String: [String]] = [:]
    ) {
        self.name = name
        self.block = block
        self.ends = ends
        self.stage = stage
        self.blocks = blocks
        self.blockNames = blockNames
        self.packedBlockNames = packedBlockNames
    }

    /// The whole table for stages of these numbers of blocks: this project's names, and for each theirs, several where
    /// a tensor is one here but several there.
    func names(depths: [Int]) -> [String: [String]] {
        var names = ends.mapValues { [$0] }
        for (index, depth) in depths.enumerated() {
            names.merge(stage(index).mapValues { [$0] }) { _, new in new }
            for position in 0..<depth {
                let (ours, theirs) = ("stages.\(index).blocks.\(position).", "\(blocks(index)).\(position).")
                for (name, other) in blockNames { names[ours + name] = [theirs + other] }
                for (name, others) in packedBlockNames { names[ours + name] = others.map { theirs + $0 } }
            }
        }
        return names
    }

    /// What the layout calls one of this project's tensors; nothing if it has no name for it.
    package func theirNames(of name: String, depths: [Int]) -> [String] {
        TensorNames(self, depths: depths)[name] ?? []
    }
}

extension Layout {
    /// All layouts whose checkpoints are recognised by their tensors' names.
    package static let all = swin + pvt + cvt + cswin

    /// Tensors that are computed and not learned. Packages save some of them; they are not read.
    static func isComputed(_ name: String) -> Bool {
        let last = name.split(separator: ".").last ?? ""
        return ["relative_position_index", "attn_mask", "relative_coords_table", "num_batches_tracked"].contains(last)
    }

    /// Names that are the same on both sides.
    static func same(_ names: String...) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, $0) })
    }
}

/// Two tables in one.
func + (left: [String: String], right: [String: String]) -> [String: String] {
    left.merging(right) { _, new in new }
}
