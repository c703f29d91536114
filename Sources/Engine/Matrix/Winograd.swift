import CETNetGraph
import CETNetKernels
import CKernels

/// The weights of a dense 3×3 convolution of stride 1 and padding 1 as the 16 matrices of Winograd's F(2×2, 3×3), which
/// takes 2.25 times fewer products than the convolution itself; see `winograd.h` for the formulas.
///
/// Rounding errors are about half as large again as those of the direct sum in float32. In bfloat16, to which both
/// transforms are rounded, they are 1.7 times as large.
package struct WinogradMatrices: Sendable {
    private static let count = 16

    /// One of them: outputs × inputs.
    package let matrix: PackedMatrix

    package init(format: WeightFormat, inputs: Int, outputs: Int) {
        matrix = PackedMatrix(format: format, columns: outputs, depth: inputs)
    }

    /// Bytes of storage, whole cache lines for each matrix.
    package func byteCount(_ kernels: KernelSet) -> Int { Self.count * stride(kernels) }

    private func stride(_ kernels: KernelSet) -> Int { CacheLine.bytes(matrix.byteCount(kernels)) }

    /// Fills storage of ``byteCount(_:)`` with `G g Gᵀ` of each filter g, computed in double precision.
    /// - Parameters:
    ///   - weights: outputs × `inputsOfAll` × 3 × 3.
    ///   - first: of the inputs that are taken.
    ///   - columnScale: one factor per output, or `nil`.
    package func pack(
        _ weights: UnsafePointer<Float>, inputsOfAll: Int, first: Int, columnScale: [Float]?,
        into storage: UnsafeMutableRawPointer, kernels: KernelSet
    ) throws {
        let (outputs, inputs) = (matrix.columns, matrix.depth)
        var transformed = try [Float](0, count: Self.count * outputs * inputs)
        transformed.withUnsafeMutableBufferPointer { transformed in
            for output in 0..<outputs {
                let scale = Double(columnScale?[output] ?? 1)
                for input in 0..<inputs {
                    let g = weights + (output * inputsOfAll + first + input) * 9
                    // Rows of G times g: three columns of four.
                    var left = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
                    left.0 = Self.transform(Double(g[0]) * scale, Double(g[3]) * scale, Double(g[6]) * scale)
                    left.1 = Self.transform(Double(g[1]) * scale, Double(g[4]) * scale, Double(g[7]) * scale)
                    left.2 = Self.transform(Double(g[2]) * scale, Double(g[5]) * scale, Double(g[8]) * scale)
                    for row in 0..<4 {
                        let values = Self.transform(left.0[row], left.1[row], left.2[row])
                        for column in 0..<4 {
                            transformed[((4 * row + column) * outputs + output) * inputs + input] =
                                Float(values[column])
                        }
                    }
                }
            }
        }
        let zeros = [Float](repeating: 0, count: outputs)
        transformed.withUnsafeBufferPointer { transformed in
            for index in 0..<Self.count {
                matrix.pack(
                    transformed.baseAddress! + index * outputs * inputs, bias: zeros,
                    into: storage + index * stride(kernels), kernels: kernels)
            }
        }
    }

    /// G times a column of three.
    private static func transform(_ a: Double, _ b: Double, _ c: Double) -> SIMD4<Double> {
        SIMD4(a, (a + b + c) / 2, (a - b + c) / 2, c)
    }

    // MARK: Products

    private var inputStride: Int { Rows.paddedStride(matrix.depth) }
    private var wordStride: Int { Rows.paddedStride(matrix.format.rowWords(depth: matrix.depth)) }
    private var outputStride: Int { Rows.paddedStride(matrix.columns) }

    /// Floats from one of the 16 matrices of a number of tiles to the next: never whole memory pages, or else the 16
    /// places that a transform writes to would compete for the same few lines of the first-level cache.
    private func matrixStride(_ rowStride: Int, tiles: Int) -> Int { tiles * rowStride + CacheLine.floats }

    /// Floats of scratch for a number of tiles.
    package func scratchFloats(tiles: Int) -> Int {
        Self.count * (matrixStride(inputStride, tiles: tiles) + matrixStride(outputStride, tiles: tiles))
            + (matrix.format.isConverted ? tiles * wordStride : 0)
    }

    /// The epilogue of a convolution.
    package struct Epilogue {
        package var bias: UnsafePointer<Float>
        package var activation: Activation?
        /// Its position for the first output, and floats from one row of them to the next.
        package var residual: (rows: Rows, rowStride: Int)?
        /// Whether the residual is added before the activation instead of after it.
        package var isResidualFirst = false

        package init(
            bias: UnsafePointer<Float>, activation: Activation?, residual: (rows: Rows, rowStride: Int)? = nil,
            isResidualFirst: Bool = false
        ) {
            (self.bias, self.activation) = (bias, activation)
            (self.residual, self.isResidualFirst) = (residual, isResidualFirst)
        }
    }

    /// Computes the outputs of a rectangle of tiles.
    /// - Parameters:
    ///   - input: the whole map, of `size`.
    ///   - storage: what ``pack(_:inputsOfAll:first:columnScale:into:kernels:)`` filled.
    ///   - scratch: room for ``scratchFloats(tiles:)``.
    ///   - output: the whole map, of `size`.
    package func convolve(
        _ input: Rows, size: ImageSize, tiles: TileRectangle, by storage: UnsafeRawPointer, _ epilogue: Epilogue,
        scratch: UnsafeMutablePointer<Float>, into output: Rows, kernels: KernelSet
    ) {
        let count = tiles.count
        let inputMatrix = matrixStride(inputStride, tiles: count)
        let outputMatrix = matrixStride(outputStride, tiles: count)
        var transform = cetnet_winograd_input(
            x: input.base, x_stride: input.stride, height: size.height, width: size.width, channels: matrix.depth,
            first_row: tiles.rows.lowerBound, rows: tiles.rows.count, first_column: tiles.columns.lowerBound,
            columns: tiles.columns.count, y: scratch, y_stride: inputStride, matrix_stride: inputMatrix)
        kernels.functions.pointee.winograd_input(&transform)
        let products = scratch + Self.count * inputMatrix
        let words = Rows(products + Self.count * outputMatrix, stride: wordStride)
        for index in 0..<Self.count {
            var a = Rows(scratch + index * inputMatrix, stride: inputStride)
            if matrix.format.isConverted {
                matrix.convert(a, rows: count, into: words, kernels: kernels)
                a = words
            }
            matrix.multiply(
                a, rows: count, by: storage + index * stride(kernels),
                into: Rows(products + index * outputMatrix, stride: outputStride), kernels: kernels)
        }
        let (rows, columns) = (tiles.outputRows(of: size), tiles.outputColumns(of: size))
        let first = output.advanced(by: rows.lowerBound * size.width + columns.lowerBound)
        var finish = cetnet_winograd_output(
            x: products, x_stride: outputStride, matrix_stride: outputMatrix, channels: matrix.columns,
            rows: rows.count, columns: columns.count, bias: epilogue.bias, activation: epilogue.activation.kernel,
            residual: epilogue.residual.map { UnsafePointer($0.rows.base) },
            residual_stride: epilogue.residual?.rows.stride ?? 0,
            residual_row_stride: epilogue.residual?.rowStride ?? 0,
            residual_first: epilogue.isResidualFirst ? 1 : 0, y: first.base, y_stride: first.stride,
            y_row_stride: size.width * first.stride)
        kernels.functions.pointee.winograd_output(&finish)
    }
}

/// Some tiles of 2×2 outputs that lie in a rectangle.
package struct TileRectangle: Sendable {
    package var rows: Range<Int>
    package var columns: Range<Int>

    package init(rows: Range<Int>, columns: Range<Int>) { (self.rows, self.columns) = (rows, columns) }

    package var count: Int { rows.count * columns.count }

    /// The outputs of the tiles, which may reach beyond the map.
    package func outputRows(of size: ImageSize) -> Range<Int> {
        2 * rows.lowerBound..<min(2 * rows.upperBound, size.height)
    }

    package func outputColumns(of size: ImageSize) -> Range<Int> {
        2 * columns.lowerBound..<min(2 * columns.upperBound, size.width)
    }
}
