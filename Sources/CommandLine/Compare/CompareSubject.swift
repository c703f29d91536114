import CETNet

/// A model that takes part in a comparison: where it comes from, before it is loaded.
struct CompareSubject {
    let source: ModelSource
    /// `nil` for the model's own.
    let precision: Precision?
    /// Side of its own images.
    let imageSize: ImageSize
    /// What is known of it.
    let compared: ComparedModel

    /// - Parameters:
    ///   - name: as reports call it.
    ///   - imageSize: `nil` for the model's own.
    init(_ model: ModelArgument, name: String, precision: Precision?, imageSize: ImageSize?) throws(Failure) {
        self.precision = precision
        source = try model.source()
        let summary = try source.summary(imageSize: imageSize)
        self.imageSize = summary.imageSize
        let variant = Variant.named(model.text)
        // The published accuracy for images of this size; else that for the smallest images.
        let known = variant?.published.filter { $0.top1 != nil } ?? []
        let figures = known.first { summary.imageSize == ImageSize(square: $0.imageSize) } ?? known.first
        compared = ComparedModel(
            name: name, imageSize: summary.imageSize.description, parameters: summary.parameters,
            multiplyAdds: summary.multiplyAdds,
            published: figures.map { ComparedModel.Published(top1: $0.top1!, imageSide: $0.imageSize) },
            remark: variant?.publishedRemark, source: variant?.source)
    }

    /// Bytes that its weights will take, about and at most.
    var weightBytes: Int { compared.parameters * MemoryLayout<Float>.size }
}
