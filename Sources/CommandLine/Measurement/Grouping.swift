import ArgumentParser
import CETNetGraph

extension Sequence {
    /// The elements by a key; groups, and the elements of each, in the order of the sequence.
    func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(key: Key, elements: [Element])] {
        var groups: [(key: Key, elements: [Element])] = []
        var places: [Key: Int] = [:]
        for element in self {
            let key = key(element)
            if let place = places[key] {
                groups[place].elements.append(element)
            } else {
                places[key] = groups.count
                groups.append((key, [element]))
            }
        }
        return groups
    }
}

/// By what layers or steps are summed up: `part`, `stage`, or both, separated by a comma.
struct Grouping: ExpressibleByArgument {
    private enum Key: String {
        case stage
        case part
    }

    private let keys: [Key]

    init?(argument: String) {
        var keys: [Key] = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let key = Key(rawValue: String(name)), !keys.contains(key) else { return nil }
            keys.append(key)
        }
        self.keys = keys
    }

    /// Title of the column that holds ``group(part:stage:)``.
    var title: String { keys.map(\.rawValue).joined(separator: ", ") }

    /// The group of a layer: its part, its stage (as the features' files count them, from 1), or both. Outside of the
    /// stages the part stands for both.
    func group(part: String, stage: Int?) -> String {
        guard let stage else { return part }
        return keys.map { $0 == .stage ? "stage \(stage + 1)" : part }.joined(separator: ", ")
    }
}

/// What tables sum the parts of the architecture up to.
enum PartGroup: String, Sendable, Hashable, CaseIterable {
    /// The stem and the stages' convolutional embeddings: the paper counts the stem's layers to the first embedding.
    case convolutionalEmbedding = "CE"
    case attention
    case mlp = "MLP"
    /// The image's copy, patch embeddings, local convolutions, the head.
    case other

    init(_ part: Part) {
        switch part {
        case .stem, .convolutionalEmbedding: self = .convolutionalEmbedding
        case .attention: self = .attention
        case .mlp: self = .mlp
        case .image, .patchEmbedding, .localConvolution, .head: self = .other
        }
    }

    /// Its key in files.
    var key: String {
        switch self {
        case .convolutionalEmbedding: "ce"
        case .attention: "attention"
        case .mlp: "mlp"
        case .other: "other"
        }
    }
}

extension Part {
    /// Its key in files.
    var key: String { rawValue.lowercased().replacing(" ", with: "_") }
}
