import CETNetCheckpoint
import CETNetNetworks

/// The tensors of a file in another package's layout, under this project's names. A tensor that is several there is
/// read as one, their rows one after the other.
package struct RenamedTensors: TensorSource {
    private let file: any TensorFile
    /// For each of this project's tensors its names in the file, in the order of its rows.
    private let names: [String: [String]]

    /// Checks that the file holds exactly the tensors of a network in a layout's names.
    /// - Parameters:
    ///   - parameters: the network's tensors, by this project's names.
    ///   - unused: further tensors that the file may hold, by this project's names.
    /// - Throws: ``CheckpointError/doesNotFit(file:layout:missing:unexpected:misshapen:)``,
    ///   ``CheckpointError/unreadableElementType(file:tensor:found:)``.
    package init(
        _ file: any TensorFile, layout: Layout, depths: [Int], parameters: [(name: String, shape: [Int])],
        unused: Set<String> = []
    ) throws {
        let table = layout.names(depths: depths, in: file)
        let ignored = Set(unused.flatMap { table[$0] ?? [] })
        var expected: [(name: String, shape: [Int])] = []
        var names: [String: [String]] = [:]
        for (name, shape) in parameters {
            // A tensor that the layout has no name for is missing under its own.
            let parts = table[name] ?? [name]
            names[name] = parts
            let partShape = parts.count == 1 ? shape : [shape[0] / parts.count] + shape.dropFirst()
            expected += parts.map { ($0, partShape) }
        }
        try file.requireExactly(
            expected, layout: layout.name, ignoring: { layout.isIgnored($0) || ignored.contains($0) })
        self.file = file
        self.names = names
    }

    package var sourceName: String { file.sourceName }

    package func shape(of name: String) -> [Int]? {
        guard let parts = names[name], var shape = file.shape(of: parts[0]) else { return nil }
        if parts.count > 1 { shape[0] *= parts.count }
        return shape
    }

    package func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        let parts = try parts(of: name)
        let count = destination.count / parts.count
        for (index, part) in parts.enumerated() {
            try file.read(
                part, into: UnsafeMutableBufferPointer(rebasing: destination[index * count..<(index + 1) * count]))
        }
    }

    package func withValues<R>(of name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let parts = try parts(of: name)
        guard parts.count > 1 else { return try file.withValues(of: parts[0], body) }
        return try values(of: name).withUnsafeBufferPointer(body)
    }

    private func parts(of name: String) throws -> [String] {
        guard let parts = names[name] else { throw CheckpointError.missingTensor(file: sourceName, tensor: name) }
        return parts
    }
}
