/// The order of 2×2 neighbours. Patch merging has them column by column, (0,0), (1,0), (0,1), (1,1) as (row, column);
/// im2col gathers them row by row, and what is multiplied with them is put in that order once, at freezing.
enum PatchOrder {
    /// Rows of 4 · `channels` numbers with the second and the third quarter of each exchanged.
    static func byRows(_ values: UnsafeBufferPointer<Float>, channels: Int) -> [Float] {
        var moved = Array(values)
        for row in stride(from: 0, to: values.count, by: 4 * channels) {
            for channel in row..<row + channels {
                moved[channel + channels] = values[channel + 2 * channels]
                moved[channel + 2 * channels] = values[channel + channels]
            }
        }
        return moved
    }
}
