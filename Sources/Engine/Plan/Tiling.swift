import CETNetGraph
import CETNetKernels

// How work is cut into tasks, and the shares of the caches that the cuts are made for: all of it in this file.

/// What a task may keep in a core's second-level cache, in bytes unless it says otherwise. (Scores of attention:
/// CETNET_SCORE_FLOATS of the kernels.)
enum CacheBudget {
    /// Activations beside a panel of weights streaming by.
    static let activations = 256 << 10
    /// Hidden activations of a perceptron: with Zen 4's and Ice Lake's cache of 1 MiB and more there is room for the
    /// weights streaming by.
    static let hiddenActivations = 448 << 10
    /// Floats of rows that are still in the first-level cache when something is added to them.
    static let addedRowFloats = 8 << 10
}

/// Cuts `count` items into tasks of nearly equal size.
struct Partition: Sendable {
    let count: Int
    let parts: Int

    init(count: Int, parts: Int) {
        self.count = count
        self.parts = max(1, min(parts, count))
    }

    /// Parts of at most `largest` items, the same for every number of threads.
    init(count: Int, largest: Int) {
        self.init(count: count, parts: (count + largest - 1) / largest)
    }

    /// The heads that attend in each of some windows, cut so that even few windows make tasks for several threads.
    init(heads: Int, windows: Int) {
        let fewTasks = 16
        self.init(count: heads, parts: (fewTasks + windows - 1) / windows)
    }

    /// Rows of a map that take different times, those at its edges for instance: several parts for each thread.
    init(unevenRows: Int, threads: Int) {
        self.init(count: unevenRows, parts: threads == 1 ? 1 : 4 * threads)
    }

    /// The queries of each head: several tasks for each thread, but each with some register tiles of queries.
    init(queries: Int, heads: Int, threads: Int, kernels: KernelSet) {
        let wanted = threads == 1 ? 1 : (4 * threads + heads - 1) / heads
        self.init(count: queries, parts: min(wanted, max(1, queries / (2 * kernels.tileRows))))
    }

    /// Panels of keys that each head packs.
    init(panels: Int, heads: Int, threads: Int) {
        self.init(count: panels, parts: threads == 1 ? 1 : (2 * threads + heads - 1) / heads)
    }

    /// Tokens of a perceptron: a task's hidden rows fit into the cache, and every thread has work. `nil` if there are too
    /// few tokens for that, so that the two layers had better be separate steps cut by columns.
    init?(tokens: Int, hiddenBytes: Int, threads: Int, kernels: KernelSet) {
        let budget = CacheBudget.hiddenActivations
        let byCache = max(1, (tokens * hiddenBytes + budget - 1) / budget)
        let parts = (byCache + threads - 1) / threads * threads
        guard threads == 1 || tokens / parts >= 2 * kernels.tileRows else { return nil }
        self.init(count: tokens, parts: parts)
    }

    subscript(part: Int) -> Range<Int> { part * count / parts..<(part + 1) * count / parts }

    /// Items in the largest part.
    var largest: Int { (count + parts - 1) / parts }
}

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

    /// - Parameters:
    ///   - rowCount: tokens of one image.
    ///   - rowBytes: what a task keeps per row.
    ///   - threads: 1 if the result must not depend on it.
    init(rows rowCount: Int, rowBytes: Int, columns columnCount: Int, threads: Int, kernels: KernelSet) {
        panelColumns = kernels.panelColumns
        self.columnCount = columnCount
        let tile = kernels.tileRows
        let byCache = (rowCount * rowBytes + CacheBudget.activations - 1) / CacheBudget.activations
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

/// How the tiles of a Winograd convolution of one image are cut into tasks: rectangles, as many tiles in each as keep the
/// weights that stream by busy, and fewer where there would not be enough tasks for all threads.
struct WinogradTiling: Sendable {
    private let rows: Partition
    private let columns: Partition
    /// Tile rows in front of the first.
    private let firstRow: Int

    /// - Parameters:
    ///   - size: of the output.
    ///   - band: the tile rows that are computed; all if `nil`.
    ///   - threads: 1 if the result must not depend on it.
    init(_ size: ImageSize, band: Range<Int>? = nil, threads: Int, kernels: KernelSet) {
        let band = band ?? 0..<(size.height + 1) / 2
        let width = (size.width + 1) / 2
        firstRow = band.lowerBound
        func cut(_ largest: Int) -> (rows: Partition, columns: Partition) {
            let columns = Partition(count: width, largest: largest)
            return (Partition(count: band.count, largest: max(1, largest / columns.largest)), columns)
        }
        var largest = 8 * kernels.tileRows
        var parts = cut(largest)
        while threads > 1, parts.rows.parts * parts.columns.parts < 2 * threads, largest > 2 * kernels.tileRows {
            largest /= 2
            parts = cut(largest)
        }
        (rows, columns) = parts
    }

    var taskCount: Int { rows.parts * columns.parts }

    /// Tiles of the largest task.
    var largest: Int { rows.largest * columns.largest }

    var tileCount: Int { rows.count * columns.count }

    subscript(task: Int) -> TileRectangle {
        let rows = rows[task / columns.parts]
        return TileRectangle(
            rows: firstRow + rows.lowerBound..<firstRow + rows.upperBound, columns: columns[task % columns.parts])
    }
}
