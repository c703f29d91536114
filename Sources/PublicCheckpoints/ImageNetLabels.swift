/// What the 1000 classes of ImageNet-1k are called, in the order of all public checkpoints: the WordNet synonyms of
/// each class, as in "tench, Tinca tinca".
package enum ImageNetLabels {
    /// One per class.
    package static let all: [String] = {
        let text = String(decoding: PackageResources.imagenet_1k_txt, as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }()
}
