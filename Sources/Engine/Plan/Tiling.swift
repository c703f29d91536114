import CETNetOperators

/// How a matrix product of one image is cut into tasks.
///
/// Rows are cut so that a task's activations stay in the second-level cache beside a panel of weights, and so that
/// every thread gets work. Few rows are not cut further, because each task streams through all of its weights; then
/// the columns are.
struct MatrixTiling: Sendable {
    let rows: Partition
    /// In units of panels.
    let columns: Partition
    private let panelColumns: Int
    private let columnCount: Int

    /// Floats of activations that a task may keep in the second-level cache: 256 KiB.
    private static let residentFloats = 64 * 1024

    /// - Parameters:
    ///   - rowCount: tokens of one image.
    ///   - rowFloats: floats that a task keeps per row.
    ///   - threads: 1 if the result must not depend on it.
    init(rowCount: Int, rowFloats: Int, columnCount: Int, threads: Int, kernels: KernelSet) {
        panelColumns = kernels.panelColumns
        self.columnCount = columnCount
        let tile = kernels.tileRows
        let byCache = (rowCount * rowFloats + Self.residentFloats - 1) / Self.residentFloats
        // At least two register tiles per task, or else cutting rows costs more than it gains.
        let most = max(1, rowCount / (2 * tile))
        var parts = max(1, byCache)
        if threads > 1, parts % threads != 0 || parts < 2 * threads {
            parts = (max(parts, 2 * threads) + threads - 1) / threads * threads
        }
        if threads > 1, most < threads {
            // Too few rows for everyone: cut the columns instead.
            rows = Partition(count: rowCount, parts: byCache)
            columns = Partition(count: (columnCount + panelColumns - 1) / panelColumns, parts: threads)
        } else {
            rows = Partition(count: rowCount, parts: min(parts, max(most, byCache)))
            columns = Partition(count: (columnCount + panelColumns - 1) / panelColumns, parts: 1)
        }
    }

    var taskCount: Int { rows.parts * columns.parts }

    func rows(of task: Int) -> Range<Int> { rows[task / columns.parts] }

    func columns(of task: Int) -> Range<Int> {
        let panels = columns[task % columns.parts]
        return panels.lowerBound * panelColumns..<min(columnCount, panels.upperBound * panelColumns)
    }
}
