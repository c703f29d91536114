import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

/// A file committed beside the tests; `Tools/python/make_network_fixtures.py` makes them from the PyTorch definition.
func fixture(_ name: String) throws -> Data {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/" + name, withExtension: nil), "fixture \(name)")
    return try Data(contentsOf: url)
}

func fixtureLines(_ name: String) throws -> [String] {
    try String(decoding: fixture(name), as: UTF8.self).split(separator: "\n").map(String.init)
}

/// A configuration that fits a page: one block per stage unless changed.
func smallConfiguration(_ change: (inout ModelConfiguration) -> Void = { _ in }) -> ModelConfiguration {
    var configuration = ModelConfiguration(
        dims: [8, 16, 24, 32], depths: [1, 1, 1, 1], numHeads: [1, 2, 3, 4], stemChannels: [4, 6],
        labels: ["cat", "dog"])
    change(&configuration)
    return configuration
}

/// What an operation throws, as people read it; `nil` if it throws nothing.
func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ConfigurationError {
        return error.description
    } catch {
        return "another type of error: \(error)"
    }
}

extension Graph {
    /// The node of that name.
    func node(_ name: String) throws -> Node { try #require(nodes.first { $0.name == name }, "node \(name)") }

    /// The outputs beside the logits: the maps of the stages, in order.
    var features: [ValueID] { outputs.filter { $0.name.hasPrefix("stage") }.map(\.value) }
}
