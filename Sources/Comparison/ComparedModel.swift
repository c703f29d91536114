import Foundation

/// A model of a comparison: what is known of it without running it.
package struct ComparedModel: Sendable, Equatable {
    /// As tables and plots call it; no two models of a comparison have the same.
    package var name: String
    /// Height and width of its images, such as `224x224`.
    package var imageSize: String
    /// Trained numbers.
    package var parameters: Int
    /// For one image.
    package var multiplyAdds: Int
    package var published: Published?
    /// What was published about its accuracy in words; `nil` for most.
    package var remark: String?
    /// Where its architecture and accuracy were published; `nil` for a model that is not a known variant.
    package var source: String?

    /// A published accuracy.
    package struct Published: Sendable, Equatable {
        /// Share of ImageNet-1k's validation images whose first prediction is right, in percent, as printed.
        package var top1: String
        /// Side of the square images that it was measured with, which need not be the size compared here.
        package var imageSide: Int

        package init(top1: String, imageSide: Int) {
            self.top1 = top1
            self.imageSide = imageSide
        }

        package var value: Double? { Double(top1) }
    }

    package init(
        name: String, imageSize: String, parameters: Int, multiplyAdds: Int, published: Published? = nil,
        remark: String? = nil, source: String? = nil
    ) {
        self.name = name
        self.imageSize = imageSize
        self.parameters = parameters
        self.multiplyAdds = multiplyAdds
        self.published = published
        self.remark = remark
        self.source = source
    }

    /// The last words of the source where that is an arXiv number, else the whole: short enough for a table.
    package var shortSource: String? {
        source.map { text in
            guard let range = text.range(of: "arXiv ", options: .backwards) else { return text }
            return String(text[range.lowerBound...])
        }
    }

    /// Whether the published accuracy is for images of the size compared.
    package var isPublishedAtThisSize: Bool {
        published.map { imageSize == "\($0.imageSide)x\($0.imageSide)" } ?? true
    }
}
