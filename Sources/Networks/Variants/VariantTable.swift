import CETNetCheckpoint
import Foundation

/// The table of known models, `variants.json`, which the Python tools read too.
///
/// CETNet's paper gives parameters, multiply-adds and accuracies; widths and depths, which it leaves to a supplement,
/// were fitted to these, and so were those of other backbones with the convolutional embedding. A row's `configuration`
/// has the keys of `config.json`; its `variant` is an earlier row, from which the others differ as the key says.
package struct VariantTable: Sendable {
    package let variants: [Variant]
    package let studies: [Variant.Study: [Variant]]

    /// The table of this build.
    static let shared: VariantTable = {
        do {
            return try VariantTable(json: Data(PackageResources.variants_json), source: "variants.json")
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Reads a table; every study has to be there, and every name that it lists.
    /// - Throws: ``ConfigurationError`` that names `source` and the key, `variants.3.configuration.dims` for instance.
    package init(json data: Data, source: String) throws {
        var reader = try ConfigurationReader(ModelConfiguration.parse(json: data, source: source), source: source)
        guard var sources = try reader.object("sources"), let rows = try reader.objects("variants"),
            var names = try reader.object("studies")
        else { throw reader.invalid("", "\"sources\", \"variants\" and \"studies\"", .null) }
        try reader.refuseUnknownKeys()
        var variants: [Variant] = []
        for row in rows { variants.append(try Variant(row, sources: &sources, known: variants)) }
        var studies: [Variant.Study: [Variant]] = [:]
        for study in Variant.Study.allCases {
            guard let list = try names.strings(study.rawValue) else { throw names.missing(study.rawValue) }
            studies[study] = try list.map { name in
                guard let variant = variants.first(where: { $0.name == name }) else {
                    throw names.invalid(study.rawValue, "names of variants", .string(name))
                }
                return variant
            }
        }
        try names.refuseUnknownKeys()
        (self.variants, self.studies) = (variants, studies)
    }
}

extension Variant {
    fileprivate init(
        _ row: ConfigurationReader, sources: inout ConfigurationReader, known: [Variant]
    ) throws(ConfigurationError) {
        var row = row
        guard let name = try row.string("name") else { throw row.missing("name") }
        guard !known.contains(where: { $0.name == name }) else { throw row.invalid("name", "a new one", .string(name)) }
        guard let key = try row.string("source"), let source = try sources.string(key) else {
            throw row.invalid("source", "a key of \"sources\"", row.value("source") ?? .null)
        }
        guard var values = try row.object("configuration") else { throw row.missing("configuration") }
        var configuration = try ModelConfiguration(&values, known: known)
        try values.refuseUnknownKeys()
        configuration.variant = name
        guard let counted = try row.object("counted") else { throw row.missing("counted") }
        var published: [PublishedFigures] = []
        for figures in try row.objects("published") ?? [] {
            published.append(try PublishedFigures(figures, imageSize: configuration.imageSize))
        }
        self.init(
            name: name, configuration: configuration,
            counted: try PublishedFigures(counted, imageSize: configuration.imageSize), published: published,
            publishedRemark: try row.string("remark"), source: source)
        try row.refuseUnknownKeys()
    }
}

extension Variant.PublishedFigures {
    fileprivate init(_ reader: ConfigurationReader, imageSize: Int) throws(ConfigurationError) {
        var reader = reader
        let height = try reader.integer("image_size") ?? imageSize
        self.init(
            imageSize: height, imageWidth: try reader.integer("image_width") ?? height,
            parameters: try reader.string("parameters"), multiplyAdds: try reader.string("multiply_adds"),
            top1: try reader.string("top1"), meanIoU: try reader.string("mean_iou"))
        try reader.refuseUnknownKeys()
    }
}
