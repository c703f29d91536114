import CETNetGraph

/// A comparison for other programs.
enum ComparisonFiles {
    /// One object; a line for each model and for each pair of models.
    static func json(_ comparison: Comparison) -> String {
        let settings = comparison.settings
        let head: [(key: String, value: JSON)] = [
            ("title", .string(comparison.title)),
            ("command", .string(settings.command)),
            ("machine", comparison.machineFields),
            (
                "settings",
                .object([
                    ("threads", .integer(settings.threads)), ("batch", .integer(settings.batch)),
                    ("rounds", .integer(settings.rounds)), ("runs_per_round", .integer(settings.runsPerRound)),
                    ("peak_gflops", .rounded(settings.peak)), ("confidence", .double(SignTest.confidence)),
                    ("least_difference", .double(PairedRatio.leastDifference)),
                ])
            ),
            ("warnings", .array(comparison.warnings.map { .string($0) })),
            ("ranking", .array(comparison.ranking.map { .string(comparison.rows[$0].model.name) })),
        ]
        let lines = head.map { "\(JSON.string($0.key).text): \($0.value.text)" }
        let lists = [
            list("results", comparison.rows.map { .object(fields($0) + details($0)) }),
            list("pairs", comparison.pairs.map { pair($0, of: comparison) }),
        ]
        return "{" + (lines + lists).joined(separator: ",\n ") + "}\n"
    }

    private static func list(_ key: String, _ elements: [JSON]) -> String {
        guard !elements.isEmpty else { return "\"\(key)\": []" }
        return "\"\(key)\": [\n  " + elements.map(\.text).joined(separator: ",\n  ") + "\n ]"
    }

    /// One row for each model.
    static func csv(_ comparison: Comparison) -> String {
        CSV.text(
            titles: fields(comparison.rows[0]).map(\.key), rows: comparison.rows.map { fields($0).map(\.value) })
    }

    /// What both files hold, in order.
    private static func fields(_ row: Comparison.Row) -> [(key: String, value: JSON)] {
        let (model, measurement) = (row.model, row.measurement)
        var fields: [(key: String, value: JSON)] = [
            ("model", .string(model.name)),
            ("image_size", .string(model.imageSize)),
            ("parameters", .integer(model.parameters)),
            ("multiply_adds", .integer(model.multiplyAdds)),
            ("published_top1", model.published?.value.map { .double($0) } ?? .null),
            ("published_image_size", model.published.map { .integer($0.imageSide) } ?? .null),
            ("published_in_words", model.remark.map { .string($0) } ?? .null),
            ("source", model.source.map { .string($0) } ?? .null),
            ("median_ms", .rounded(row.medianTime)),
            ("p10_ms", .rounded(row.spread.lowerBound)),
            ("p90_ms", .rounded(row.spread.upperBound)),
            ("baseline", row.baseline.map { .string($0) } ?? .null),
            ("ratio", .rounded(row.ratio.median)),
            ("ratio_low", row.ratio.interval.map { .rounded($0.lowerBound) } ?? .null),
            ("ratio_high", row.ratio.interval.map { .rounded($0.upperBound) } ?? .null),
            ("images_per_second", .rounded(row.imagesPerSecond)),
            ("gflops", .rounded(row.gigaflops)),
            ("share_of_peak", .rounded(row.shareOfPeak)),
        ]
        fields += PartGroup.allCases.map { ("share_\($0.key)", .rounded(measurement.share(of: $0))) }
        fields += Part.allCases.map { ("\($0.key)_ms", .rounded(measurement.cost(of: $0).milliseconds)) }
        fields += Part.allCases.map { ("\($0.key)_gflops", rate(measurement.cost(of: $0))) }
        return fields
    }

    private static func rate(_ cost: ModelMeasurement.Cost) -> JSON {
        cost.gigaflops.map { .rounded($0) } ?? .null
    }

    /// What only JSON has room for.
    private static func details(_ row: Comparison.Row) -> [(key: String, value: JSON)] {
        [
            (
                "embedding_operators",
                .array(
                    row.measurement.embeddingKinds.map { kind, cost in
                        .object([
                            ("operators", .string(kind)), ("ms", .rounded(cost.milliseconds)),
                            ("multiply_adds", .integer(cost.multiplyAdds)), ("gflops", rate(cost)),
                        ])
                    })
            ),
            ("round_ms", .array(row.measurement.roundTimes.map { .rounded($0) })),
        ]
    }

    private static func pair(_ pair: Comparison.Pair, of comparison: Comparison) -> JSON {
        .object([
            ("first", .string(comparison.rows[pair.first].model.name)),
            ("second", .string(comparison.rows[pair.second].model.name)),
            ("ratio", .rounded(pair.ratio.median)),
            ("ratio_low", pair.ratio.interval.map { .rounded($0.lowerBound) } ?? .null),
            ("ratio_high", pair.ratio.interval.map { .rounded($0.upperBound) } ?? .null),
            ("first_is", .string(pair.ratio.verdict.rawValue)),
        ])
    }
}
