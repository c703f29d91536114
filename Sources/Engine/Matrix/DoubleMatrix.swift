import CETNetMemory

/// A matrix in double precision, row-major, for what is solved and not run.
package final class DoubleMatrix: @unchecked Sendable {
    // Whoever fills it in does so before others read it.
    package let rows: Int
    package let columns: Int
    package let values: UnsafeMutablePointer<Double>

    /// Zeros.
    package init(rows: Int, columns: Int) throws(OutOfMemoryError) {
        try Memory.require(rows * columns, of: Double.self)
        (self.rows, self.columns) = (rows, columns)
        values = .allocate(capacity: rows * columns)
        values.initialize(repeating: 0, count: rows * columns)
    }

    deinit { values.deallocate() }

    /// The numbers of a row.
    package subscript(row: Int) -> UnsafeMutablePointer<Double> { values + row * columns }
}
