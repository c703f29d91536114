import CETNetEngine
import CETNetGraph
import CETNetNetworks
import TestSupport
import Testing

/// What plans are made of.
@Suite struct PlanTests {
    /// Buffers that live at the same time have places of their own.
    @Test func arenaHasNoOverlaps() {
        var generator = SeededGenerator(seed: 1)
        func random(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }
        for _ in 0..<200 {
            let buffers = (0..<30).map { _ in
                let first = random(40)
                return ArenaLayout.Buffer(bytes: 1 + random(1000), firstStep: first, lastStep: first + random(12))
            }
            let layout = ArenaLayout(buffers)
            for i in buffers.indices {
                #expect(layout.offsets[i] + buffers[i].bytes <= layout.bytes)
                for j in buffers.indices where j > i {
                    let together =
                        buffers[i].firstStep <= buffers[j].lastStep && buffers[j].firstStep <= buffers[i].lastStep
                    let apart =
                        layout.offsets[i] + buffers[i].bytes <= layout.offsets[j]
                        || layout.offsets[j] + buffers[j].bytes <= layout.offsets[i]
                    #expect(!together || apart, "\(buffers[i]) and \(buffers[j]) overlap")
                }
            }
        }
    }

    /// Every node of the graph is computed by exactly one step, at every size.
    @Test(arguments: [32, 33, 224, 384]) func everyNodeOnce(side: Int) throws {
        try checkEveryNodeOnce("tiny", side: side)
    }

    @Test(arguments: Fixture.studies) func everyNodeOnce(model: String) throws {
        try checkEveryNodeOnce(model, side: 47)
    }

    private func checkEveryNodeOnce(_ model: String, side: Int) throws {
        let (frozen, network) = try Fixture.network(try Fixture.file(model + ".safetensors"), Variety.all[0])
        let size = ImageSize(square: side)
        for threads in [1, 3] {
            let steps = try Session(network: frozen, threads: threads, sharesProcessors: false).steps(size: size)
            let nodes = steps.flatMap(\.nodes).sorted()
            #expect(nodes == Array(network.graph(imageSize: size).nodes.indices))
        }
    }

    /// Concatenations and slices take no step of their own: what they join is computed in place.
    @Test(arguments: ["tiny_dense", "tiny_ghost", "tiny_shuffle"]) func viewsTakeNoStep(model: String) throws {
        let (frozen, network) = try Fixture.network(try Fixture.file(model + ".safetensors"), Variety.all[0])
        let size = ImageSize(square: 64)
        let graph = network.graph(imageSize: size)
        #expect(graph.nodes.contains { $0.operator.isView })
        for step in try Session(network: frozen, threads: 2).steps(size: size) where !step.nodes.isEmpty {
            #expect(step.nodes.contains { !graph.nodes[$0].operator.isView }, "\(step.name) only copies")
        }
    }

    /// Where tokens of shifted, padded windows come from, against padding and rolling an array of indices.
    @Test func windowAxes() {
        for length in 1...30 {
            for window in [2, 4, 7] {
                for shift in [0, window / 2] {
                    let axis = WindowAxis(length: length, window: window, shift: shift)
                    let padded = (length + window - 1) / window * window
                    let effective = padded <= window ? 0 : shift
                    let rolled = (0..<padded).map { ($0 + effective) % padded }
                    #expect(axis.windows == padded / window)
                    #expect((0..<padded).map(axis.position) == rolled, "\(length) tokens, window \(window)")
                    for index in 0..<axis.windows {
                        let regions = Set(
                            (index * window..<(index + 1) * window).map { position in
                                effective == 0
                                    ? 0 : position < padded - window ? 0 : position < padded - effective ? 1 : 2
                            })
                        #expect(axis.isDivided(index) == (regions.count > 1), "\(length) tokens, window \(index)")
                    }
                }
            }
        }
    }
}
