import CETNetEngine
import CETNetGraph
import CETNetNetworks
import Testing

/// What the other backbones add to the engine: maps of any size, class tokens, stripes.
@Suite struct BackboneTests {
    /// A small model of each backbone as published and with the convolutional embedding.
    static let models: [(name: String, configuration: ModelConfiguration)] = [
        ("swin", configuration(.swin, [.patch, .merge, .merge, .merge])),
        ("pvt", configuration(.pvt, [.patch, .patch, .patch, .patch])),
        ("ce-pvt", configuration(.pvt, [.ce, .ce, .ce, .ce])),
        ("cvt", configuration(.cvt, [.conv, .conv, .conv])),
        ("ce-cvt", configuration(.cvt, [.ce, .ce, .ce])),
        ("cswin", configuration(.cswin, [.conv, .conv, .conv, .conv])),
        ("ce-cswin", configuration(.cswin, [.ce, .ce, .ce, .ce])),
        // The class token joins tokens that no LayerNorm has just made.
        ("cvt with merging", configuration(.cvt, [.patch, .merge, .merge])),
    ]

    private static func configuration(
        _ block: ModelConfiguration.Block, _ embeddings: [ModelConfiguration.Embedding]
    ) -> ModelConfiguration {
        let stages = embeddings.count
        return ModelConfiguration(
            dims: Array([16, 32, 48, 64].prefix(stages)), depths: Array([1, 2, 1, 2].prefix(stages)),
            numHeads: Array([2, 2, 4, 4].prefix(stages)), mlpRatios: Array([2, 1, 2, 1].prefix(stages)), block: block,
            embeddings: embeddings, stemChannels: [8, 12], ceLayers: 3, imageSize: 64, labels: ["a", "b", "c"])
    }

    private func network(_ model: Int, _ variety: Variety) throws -> FrozenNetwork {
        let network = try Network(Self.models[model].configuration)
        return try FrozenNetwork(
            referenceSize: ImageSize(square: 64), weights: SeededTensors(network: network, seed: 3),
            backend: variety.backend, kernels: variety.kernels, threads: 1, makeGraph: { network.graph(imageSize: $0) })
    }

    @Test(arguments: Variety.all, models.indices)
    func batchesAndThreads(_ variety: Variety, model: Int) throws {
        let frozen = try network(model, variety)
        let size = ImageSize(height: 71, width: 90)
        let images = 4
        let pixels = (0..<images * 3 * size.area).map { Float(($0 &* 7919) % 1009) / 300 - 1.6 }
        let reference = try Session(network: frozen, threads: 1).outputs(
            pixels, batch: images, size: size, features: true)
        #expect(reference.logits.allSatisfy { $0.isFinite })
        #expect(Set(reference.logits).count == reference.logits.count, "every image has logits of its own")
        for threads in 1...4 {
            let session = try Session(network: frozen, threads: threads, sharesProcessors: false)
            for batch in [1, 4, 3] {
                let result = session.outputs(
                    Array(pixels[..<(batch * 3 * size.area)]), batch: batch, size: size, features: true)
                let name = "\(Self.models[model].name), \(variety.testDescription), \(threads) threads, batch \(batch)"
                #expect(result.logits == Array(reference.logits[..<(batch * 3)]), "\(name): logits")
                for (stage, map) in result.features.enumerated() {
                    let expected = reference.features[stage]
                    #expect(map == Array(expected[..<(expected.count / images * batch)]), "\(name): stage \(stage + 1)")
                }
            }
        }
    }

    /// Every tier and backend computes the same model, from the smallest image on.
    @Test(arguments: models.indices)
    func varietiesAgree(model: Int) throws {
        let varieties = try Variety.all.map { try network(model, $0) }
        for size in [ImageSize(square: 32), ImageSize(height: 33, width: 64), ImageSize(height: 130, width: 47)] {
            let pixels = (0..<3 * size.area).map { Float(($0 &* 31) % 200) / 100 - 1 }
            let logits = try varieties.map {
                try Session(network: $0, threads: 2, sharesProcessors: false).outputs(pixels, batch: 1, size: size)
                    .logits
            }
            for (variety, other) in zip(Variety.all, logits) {
                // Two roundings of the same network; see NetworkFixtureTests.
                expectClose(
                    other, logits[0], tolerance: 2 * NetworkFixtureTests.tolerance,
                    "\(Self.models[model].name) at \(size), \(variety.testDescription)")
            }
        }
    }

    /// Every node of the graph is computed by exactly one step, at every size.
    @Test(arguments: models.indices) func everyNodeOnce(model: Int) throws {
        let network = try network(model, Variety.all[0])
        for side in [32, 33, 224] {
            let size = ImageSize(square: side)
            for threads in [1, 3] {
                let steps = try Session(network: network, threads: threads, sharesProcessors: false).steps(size: size)
                #expect(steps.flatMap(\.nodes).sorted() == Array(network.graph(size: size).nodes.indices))
            }
        }
    }

    /// A class token travels behind its map and is no part of the stage's features.
    @Test(arguments: [1, 3]) func classTokensAreNoFeatures(model: Int) throws {
        let network = try network(model, Variety.all[0])
        let size = ImageSize(height: 64, width: 96)
        let graph = network.graph(size: size)
        let last = graph.shape(of: graph.features.last!)
        #expect(last.classTokens == 1)
        #expect(last.tokens == last.height * last.width + 1)
        let pixels = (0..<3 * size.area).map { Float($0 % 200) / 100 - 1 }
        let result = try Session(network: network, threads: 1).outputs(pixels, batch: 1, size: size, features: true)
        #expect(result.features.last!.count == last.height * last.width * last.channels)
        #expect(result.features.allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    /// Stripes cover the map; what is beyond it is padding.
    @Test func stripesCoverTheMap() {
        for height in 1...15 {
            for width in [1, 6, 7, 13] {
                let size = ImageSize(height: height, width: width)
                for stripe in [
                    CrossShapedAttention.Stripe.vertical(width: 1), .vertical(width: 7), .horizontal(width: 2),
                    .horizontal(width: 7), .map,
                ] {
                    let axes = StripeAxes(stripe, map: size)
                    var covered: [Int] = []
                    for index in 0..<axes.stripes {
                        var positions: [Int] = []
                        for across in 0..<axes.breadth {
                            for along in 0..<axes.length {
                                guard let position = axes.position(stripe: index, across: across, along: along) else {
                                    continue
                                }
                                positions.append(position)
                                let (row, column) = (position / width, position % width)
                                let isInPlace =
                                    switch stripe {
                                    case .vertical(let w): column / w == index && column % w == across && row == along
                                    case .horizontal(let w): row / w == index && row % w == across && column == along
                                    case .map: row == across && column == along
                                    }
                                #expect(isInPlace, "\(stripe) of \(size): (\(row), \(column))")
                            }
                        }
                        covered += positions
                    }
                    #expect(covered.sorted() == Array(0..<size.area), "\(stripe) of \(size)")
                }
            }
        }
    }
}
