/// What the 1000 classes of ImageNet-1k are called, in the order of all public checkpoints.
package enum ImageNetLabels {
    private static let lines: [[Substring]] = {
        let text = String(decoding: PackageResources.imagenet_1k_txt, as: UTF8.self)
        return text.split(separator: "\n").map { $0.split(separator: "\t") }
    }()

    /// The WordNet synonyms of each class, as in "tench, Tinca tinca".
    package static let all: [String] = lines.map { String($0[1]) }

    /// The WordNet id of each class, as in "n01440764": what the folders of ImageNet are called.
    package static let wordNetIDs: [String] = lines.map { String($0[0]) }
}
