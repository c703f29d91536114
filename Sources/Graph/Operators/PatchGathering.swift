/// The 2×2 neighbours of each second position side by side, in the order (0,0), (1,0), (0,1), (1,1) as (row, column);
/// beyond the map's edge they are zero. The gathering of Swin's patch merging (arXiv 2103.14030, section 3.1).
///
///     H×W×C → ⌈H/2⌉×⌈W/2⌉×4C
struct PatchGathering: OperatorDefinition {
    var name: String { "patch gathering" }

    func outputShape(_ inputs: [TensorShape]) throws(ShapeMismatch) -> TensorShape {
        try expect(1, inputs)
        return TensorShape(
            height: (inputs[0].height + 1) / 2, width: (inputs[0].width + 1) / 2, channels: 4 * inputs[0].channels)
    }
}
