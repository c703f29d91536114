import Foundation
public import Logging

/// Writes each entry of a log as one line of JSON to standard error.
public struct JSONLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level = .info

    public init() {}

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var values: [String: LogValue] = [:]
        for metadata in [metadataProvider?.get() ?? [:], metadata, event.metadata ?? [:]] {
            // Hummingbird's name for what an entry of ours has under a name of its own.
            for (key, value) in metadata where key != "hb.request.id" { values[key] = LogValue(value) }
        }
        values["time"] = .text(Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)))
        values["level"] = .text(event.level.rawValue)
        values["message"] = .text(event.message.description)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var line = try? encoder.encode(values) else { return }
        line.append(UInt8(ascii: "\n"))
        // Where nobody reads any more there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: line)
    }
}

/// A value of an entry: numbers stay numbers.
private enum LogValue: Encodable {
    case text(String)
    case number(Double)
    case list([LogValue])
    case dictionary([String: LogValue])

    init(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): self = .text(text)
        case .stringConvertible(let value as any BinaryInteger): self = .number(Double(Int(value)))
        case .stringConvertible(let value as Double): self = .number(value)
        case .stringConvertible(let value): self = .text(value.description)
        case .array(let values): self = .list(values.map(Self.init))
        case .dictionary(let values): self = .dictionary(values.mapValues(Self.init))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .list(let values): try container.encode(values)
        case .dictionary(let values): try container.encode(values)
        }
    }
}
