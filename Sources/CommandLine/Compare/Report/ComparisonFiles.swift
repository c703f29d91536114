import CETNetCheckpoint
import CETNetGraph

/// A comparison for other programs.
enum ComparisonFiles {
    /// One object; a line for each model and for each pair of models.
    static func json(_ comparison: Comparison) -> String {
        let settings = comparison.settings
        let head: [JSONValue.Member] = [
            .init("title", .string(comparison.title)),
            .init("command", .string(settings.command)),
            .init("machine", comparison.machineFields),
            .init(
                "settings",
                [
                    "threads": .integer(settings.threads), "batch": .integer(settings.batch),
                    "rounds": .integer(settings.rounds), "runs_per_round": .integer(settings.runsPerRound),
                    "peak_gflops": .rounded(settings.peak), "confidence": .double(SignTest.confidence),
                    "least_difference": .double(PairedRatio.leastDifference),
                ]),
            .init("warnings", .array(comparison.warnings.map { .string($0) })),
            .init("ranking", .array(comparison.ranking.map { .string(comparison.rows[$0].model.name) })),
        ]
        let lines = head.map { "\(JSONValue.string($0.key).line): \($0.value.line)" }
        let lists = [
            list("results", comparison.rows.map { .object(fields($0) + details($0)) }),
            list("pairs", comparison.pairs.map { pair($0, of: comparison) }),
        ]
        return "{" + (lines + lists).joined(separator: ",\n ") + "}\n"
    }

    private static func list(_ key: String, _ elements: [JSONValue]) -> String {
        guard !elements.isEmpty else { return "\"\(key)\": []" }
        return "\"\(key)\": [\n  " + elements.map(\.line).joined(separator: ",\n  ") + "\n ]"
    }

    /// One row for each model.
    static func csv(_ comparison: Comparison) -> String {
        CSV.text(
            titles: fields(comparison.rows[0]).map(\.key), rows: comparison.rows.map { fields($0).map(\.value) })
    }

    /// What both files hold, in order.
    private static func fields(_ row: Comparison.Row) -> [JSONValue.Member] {
        let (model, measurement) = (row.model, row.measurement)
        var fields: [JSONValue.Member] = [
            .init("model", .string(model.name)),
            .init("image_size", .string(model.imageSize)),
            .init("parameters", .integer(model.parameters)),
            .init("multiply_adds", .integer(model.multiplyAdds)),
            .init("published_top1", model.published?.value.map { .double($0) } ?? .null),
            .init("published_image_size", model.published.map { .integer($0.imageSide) } ?? .null),
            .init("published_in_words", model.remark.map { .string($0) } ?? .null),
            .init("source", model.source.map { .string($0) } ?? .null),
            .init("median_ms", .rounded(row.medianTime)),
            .init("p10_ms", .rounded(row.spread.lowerBound)),
            .init("p90_ms", .rounded(row.spread.upperBound)),
            .init("baseline", row.baseline.map { .string($0) } ?? .null),
            .init("ratio", .rounded(row.ratio.median)),
            .init("ratio_low", row.ratio.interval.map { .rounded($0.lowerBound) } ?? .null),
            .init("ratio_high", row.ratio.interval.map { .rounded($0.upperBound) } ?? .null),
            .init("images_per_second", .rounded(row.imagesPerSecond)),
            .init("gflops", .rounded(row.gigaflops)),
            .init("share_of_peak", .rounded(row.shareOfPeak)),
        ]
        fields += PartGroup.allCases.map { .init("share_\($0.key)", .rounded(measurement.share(of: $0))) }
        fields += Part.allCases.map { .init("\($0.key)_ms", .rounded(measurement.cost(of: $0).milliseconds)) }
        fields += Part.allCases.map { .init("\($0.key)_gflops", rate(measurement.cost(of: $0))) }
        return fields
    }

    private static func rate(_ cost: Cost) -> JSONValue {
        cost.gigaflops.map { .rounded($0) } ?? .null
    }

    /// What only JSON has room for.
    private static func details(_ row: Comparison.Row) -> [JSONValue.Member] {
        [
            .init(
                "embedding_operators",
                .array(
                    row.measurement.embeddingKinds.map { kind, cost in
                        [
                            "operators": .string(kind), "ms": .rounded(cost.milliseconds),
                            "multiply_adds": .integer(cost.multiplyAdds), "gflops": rate(cost),
                        ]
                    })),
            .init("round_ms", .array(row.measurement.roundTimes.map { .rounded($0) })),
        ]
    }

    private static func pair(_ pair: Comparison.Pair, of comparison: Comparison) -> JSONValue {
        [
            "first": .string(comparison.rows[pair.first].model.name),
            "second": .string(comparison.rows[pair.second].model.name), "ratio": .rounded(pair.ratio.median),
            "ratio_low": pair.ratio.interval.map { .rounded($0.lowerBound) } ?? .null,
            "ratio_high": pair.ratio.interval.map { .rounded($0.upperBound) } ?? .null,
            "first_is": .string(pair.ratio.verdict.rawValue),
        ]
    }
}
