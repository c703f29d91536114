/// A source of tensors that knows which ones it holds: a safetensors file, or several.
public protocol TensorFile: TensorSource {
    /// All tensors, file by file in the order of their bytes.
    var tensors: [TensorInfo] { get }

    /// Where a tensor is and what it looks like, or `nil` if there is none of that name.
    func info(_ name: String) -> TensorInfo?
}

extension TensorFile {
    public func shape(of name: String) -> [Int]? { info(name)?.shape }

    /// - Throws: ``CheckpointError`` if there is no such tensor or its element type cannot be read as float32.
    func readable(_ name: String) throws -> TensorInfo {
        guard let info = info(name) else { throw CheckpointError.missingTensor(file: sourceName, tensor: name) }
        guard info.elementType.isReadableAsFloat else {
            throw CheckpointError.unreadableElementType(file: sourceName, tensor: name, found: info.elementType)
        }
        return info
    }

    /// Checks that the file holds exactly the tensors of a model.
    /// - Parameters:
    ///   - expected: every tensor that the model needs, each once.
    ///   - types: of tensors whose elements have to be of one type; the others are what can be read as float32.
    ///   - layout: whose names these are, for the error; `nil` for this project's own.
    ///   - isIgnored: which tensors may be there without being needed. By default `num_batches_tracked`, which
    ///     PyTorch's BatchNorm stores and inference ignores.
    /// - Throws: ``CheckpointError/doesNotFit(file:layout:missing:unexpected:misshapen:)`` with all differences,
    ///   ``CheckpointError/unreadableElementType(file:tensor:found:)``, or
    ///   ``CheckpointError/malformedTensor(file:tensor:expected:found:)`` for one of another type.
    public func requireExactly(
        _ expected: [(name: String, shape: [Int])], types: [String: ElementType] = [:], layout: String? = nil,
        ignoring isIgnored: (String) -> Bool = { $0.hasSuffix(".num_batches_tracked") }
    ) throws {
        var missing: [String] = []
        var misshapen: [ShapeMismatch] = []
        for (name, shape) in expected {
            guard let found = info(name) else {
                missing.append(name)
                continue
            }
            if found.shape != shape {
                misshapen.append(ShapeMismatch(tensor: name, expected: shape, found: found.shape))
            }
        }
        let names = Set(expected.map(\.name))
        let unexpected = tensors.map(\.name).filter { !names.contains($0) && !isIgnored($0) }
        guard missing.isEmpty, unexpected.isEmpty, misshapen.isEmpty else {
            throw CheckpointError.doesNotFit(
                file: sourceName, layout: layout, missing: missing, unexpected: unexpected, misshapen: misshapen)
        }
        for (name, _) in expected {
            guard let type = types[name] else {
                _ = try readable(name)
                continue
            }
            let found = info(name)!.elementType
            guard found == type else {
                throw CheckpointError.malformedTensor(
                    file: sourceName, tensor: name, expected: "elements \(type.rawValue)", found: found.rawValue)
            }
        }
    }
}
