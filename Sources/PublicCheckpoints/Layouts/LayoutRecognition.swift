import CETNetCheckpoint
import CETNetNetworks

extension Layout {
    /// The layout that the tensors of a file have, by their names alone; `nil` for this project's own, and for what is
    /// like none.
    ///
    /// The layout is taken that differs least, so that a file that is nearly one gets an error in its own names.
    /// - Parameters:
    ///   - parameters: the tensors of the network that the file is meant for, by this project's names.
    ///   - depths: blocks per stage of that network.
    package static func recognize(
        _ file: any TensorFile, task: ModelConfiguration.Task = .classification, block: ModelConfiguration.Block,
        depths: [Int], parameters: [String]
    ) -> Layout? {
        let (own, names) = (Set(parameters), Set(file.tensors.map(\.name)))
        // What is certain needs no tables.
        guard names != own else { return nil }
        let found = names.filter { !isComputed($0) && !$0.hasPrefix(UPerNet.auxiliaryPrefix) }
        func differences(_ expected: Set<String>) -> Int { expected.symmetricDifference(found).count }

        var best: (layout: Layout?, differences: Int) = (nil, differences(own))
        for layout in all where layout.block == block && layout.task == task && best.differences > 0 {
            let names = layout.names(depths: depths)
            let expected = Set(parameters.flatMap { names[$0] ?? [$0] })
            let count = differences(expected)
            // What has not even half of the names is no attempt at this layout.
            guard count < best.differences, 2 * expected.intersection(found).count >= expected.count else { continue }
            best = (layout, count)
        }
        return best.layout
    }
}
