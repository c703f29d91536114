/// What a report says, in order, whatever it is written in.
struct ReportDocument {
    let title: String
    let plots: [ComparisonPlots.Plot]
    let blocks: [Block]

    enum Block {
        case heading(String)
        case paragraph(String)
        case list([String])
        case code(String)
        case table(columns: [(title: String, alignment: TextTable.Alignment)], rows: [[String]])
        case plot(ComparisonPlots.Plot)
    }

    init(_ comparison: Comparison) {
        title = comparison.title
        plots = ComparisonPlots.all(comparison)
        let (table, parts, embeddings) = (
            ComparisonTable(comparison), PartTable(comparison), EmbeddingTable(comparison)
        )
        var blocks: [Block] = [.paragraph(comparison.question)]
        blocks += comparison.warnings.map { .paragraph("Warning: \($0).") }
        blocks += [.table(columns: table.columns, rows: table.rows)] + Self.findings(comparison)
        for plot in plots {
            blocks.append(.heading(plot.title))
            blocks.append(.plot(plot))
        }
        blocks += [
            .heading("Time and speed of each part"),
            .paragraph(
                """
                Milliseconds and multiply-adds are those of a batch. The last column is the part's GFLOP/s against the \
                same part of the baseline.
                """),
            .table(columns: parts.columns, rows: parts.rows),
        ]
        if !embeddings.rows.isEmpty {
            blocks += [
                .heading("What the convolutional embeddings do"),
                .paragraph(
                    """
                    The steps of the stem and of all stages' embeddings, by the operators that they compute in one go. \
                    Depthwise convolutions, and steps that only move or add numbers, wait for memory: a unit that \
                    consists of them runs at few GFLOP/s however well each is computed.
                    """),
                .table(columns: embeddings.columns, rows: embeddings.rows),
            ]
        }
        self.blocks = blocks + Self.method(comparison)
    }

    private static func findings(_ comparison: Comparison) -> [Block] {
        var blocks: [Block] = []
        if comparison.rows.count > 1 {
            blocks.append(.paragraph("Fastest first: \(Findings.ranking(comparison))"))
            let close = Findings.closePairs(comparison)
            if !close.isEmpty {
                blocks += [.paragraph("Too close to tell apart (ratio of times, and its interval):"), .list(close)]
            }
            let noisy = Findings.noisyPairs(comparison)
            if !noisy.isEmpty {
                blocks += [.paragraph("Too noisy to tell, measure again on a quiet machine:"), .list(noisy)]
            }
            blocks.append(.paragraph(Findings.rule(comparison)))
        }
        let prices = Findings.prices(comparison)
        if !prices.isEmpty { blocks += [.paragraph("What accuracy costs:"), .list(prices)] }
        return blocks
    }

    private static func method(_ comparison: Comparison) -> [Block] {
        var blocks: [Block] = [
            .heading("How it was measured"),
            .code("\(comparison.settings.command)\n\n\(comparison.machineText)"),
            .paragraph(
                """
                Settings: \(Findings.settings(comparison)). Every model is run in every round, in an order that \
                changes from round to round, on random images. Ratios are medians over the rounds of the models' fastest times \
                in the same round, so that a machine that becomes faster or slower meanwhile does so for all. The peak \
                is what as many threads do in a loop of multiply-adds on registers.
                """),
            .paragraph(
                """
                Multiply-adds are what papers call FLOPs: convolutions, linear layers and the two products of \
                attention; one is two floating point operations. CE is the stem and the stages' convolutional \
                embeddings; other is the image's copy, patch embeddings, local convolutions and the head.
                """),
        ]
        let sources = Findings.sources(comparison)
        if !sources.isEmpty {
            blocks += [.paragraph("Accuracies are published ones on ImageNet-1k, not measured here:"), .list(sources)]
        }
        return blocks
    }
}
