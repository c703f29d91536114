import Foundation

/// A model of a comparison: what is known of it without running it.
struct ComparedModel: Sendable, Equatable {
    /// As tables and plots call it; no two models of a comparison have the same.
    var name: String
    /// Height and width of its images, such as `224x224`.
    var imageSize: String
    /// Trained numbers.
    var parameters: Int
    /// For one image.
    var multiplyAdds: Int
    var published: Published?
    /// What was published about its accuracy in words; `nil` for most.
    var remark: String?
    /// Where its architecture and accuracy were published; `nil` for a model that is not a known variant.
    var source: String?

    /// A published accuracy.
    struct Published: Sendable, Equatable {
        /// Share of ImageNet-1k's validation images whose first prediction is right, in percent, as printed.
        var top1: String
        /// Side of the square images that it was measured with, which need not be the size compared here.
        var imageSide: Int

        var value: Double? { Double(top1) }
    }

    /// The last words of the source where that is an arXiv number, else the whole: short enough for a table.
    var shortSource: String? {
        source.map { text in
            guard let range = text.range(of: "arXiv ", options: .backwards) else { return text }
            return String(text[range.lowerBound...])
        }
    }

    /// Whether the published accuracy is for images of the size compared.
    var isPublishedAtThisSize: Bool {
        published.map { imageSize == "\($0.imageSide)x\($0.imageSide)" } ?? true
    }
}
