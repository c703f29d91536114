import ArgumentParser

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

    /// The elements of each group, groups in the order of their first elements.
    func grouped<Element>(_ elements: [Element], _ group: (Element) -> String) -> [(name: String, elements: [Element])] {
        var groups: [(name: String, elements: [Element])] = []
        for element in elements {
            let name = group(element)
            if let index = groups.firstIndex(where: { $0.name == name }) {
                groups[index].elements.append(element)
            } else {
                groups.append((name, [element]))
            }
        }
        return groups
    }
}
