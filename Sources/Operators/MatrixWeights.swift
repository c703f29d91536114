import CKernels

/// A pointwise non-linearity, as the kernels number them.
package enum ActivationKind: Int32, Sendable {
    case none = 0
    case gelu = 1
    case quickGELU = 2
    case relu = 3
    case sigmoid = 4
}

/// Pointer to activations, row-major with the rows `stride` floats apart.
package struct Rows {
    package let base: UnsafeMutablePointer<Float>
    package let stride: Int

    package init(_ base: UnsafeMutablePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    package func advanced(by rows: Int) -> Rows { Rows(base + rows * stride, stride: stride) }
}

/// The weights of a linear layer or convolution, frozen in the layout that one of the two GEMMs wants.
///
/// Computes `C = activation(A · Wᵀ + bias) + residual` with A rows × depth and W columns × depth; the residual can also
/// be added before the activation.
package struct MatrixWeights: @unchecked Sendable {
    /// How the weights are stored, which decides who multiplies.
    package enum Layout: Sendable {
        /// Panels for the kernel set's own GEMM, biases included.
        case panels
        /// Row-major as in PyTorch for OpenBLAS, followed by the biases.
        case rowMajor
    }

    package let layout: Layout
    package let columns: Int
    package let depth: Int
    // Written once by `prepare`, before the value is shared.
    private let storage: UnsafePointer<Float>

    package init(layout: Layout, columns: Int, depth: Int, storage: UnsafePointer<Float>) {
        self.layout = layout
        self.columns = columns
        self.depth = depth
        self.storage = storage
    }

    /// Floats of storage that weights need.
    package static func storageCount(layout: Layout, columns: Int, depth: Int, kernels: KernelSet) -> Int {
        switch layout {
        case .rowMajor: return columns * (depth + 1)
        case .panels: return kernels.packedColumns(columns) * (depth + 1)
        }
    }

    /// Fills storage of ``storageCount(layout:columns:depth:kernels:)`` floats with `(weight · columnScale) · depthScale`.
    /// - Parameters:
    ///   - weights: columns × depth, contiguous.
    ///   - columnScale: one factor per column, or `nil`.
    ///   - depthScale: one factor per position of depth, or `nil`.
    ///   - bias: one value per column; not scaled.
    package static func prepare(
        layout: Layout, columns: Int, depth: Int, weights: UnsafePointer<Float>,
        columnScale: UnsafePointer<Float>? = nil, depthScale: UnsafePointer<Float>? = nil,
        bias: UnsafePointer<Float>, storage: UnsafeMutablePointer<Float>, kernels: KernelSet
    ) {
        switch layout {
        case .rowMajor:
            storage.update(from: weights, count: columns * depth)
            for column in 0..<columns {
                let row = storage + column * depth
                if let factor = columnScale?[column] { for k in 0..<depth { row[k] *= factor } }
                if let depthScale { for k in 0..<depth { row[k] *= depthScale[k] } }
            }
            (storage + columns * depth).update(from: bias, count: columns)
        case .panels:
            var arguments = cetnet_pack(
                weights: weights, weights_stride: depth, column_scale: columnScale, depth_scale: depthScale,
                bias: bias, columns: columns, depth: depth, panels: storage)
            kernels.functions.pointee.pack_panels(&arguments)
        }
    }

    /// Multiplies `rows` rows by the columns of `columnRange`, whose lower bound is a multiple of the panel width.
    ///
    /// With ``Layout/panels`` the residual may be the output itself; OpenBLAS overwrites the output first.
    package func multiply(
        _ a: Rows, rows: Int, columnRange: Range<Int>, activation: ActivationKind, residual: Rows?,
        residualFirst: Bool = false, into c: Rows, kernels: KernelSet
    ) {
        let first = columnRange.lowerBound
        let count = columnRange.count
        let output = c.base + first
        let added = residual.map { UnsafePointer($0.base + first) }
        switch layout {
        case .panels:
            var arguments = cetnet_gemm(
                a: a.base, a_stride: a.stride, panels: storage + first * (depth + 1), rows: rows, columns: count,
                depth: depth, initial: nil, initial_stride: 0, activation: activation.rawValue, residual: added,
                residual_stride: residual?.stride ?? 0, residual_first: residualFirst ? 1 : 0, c: output, c_stride: c.stride)
            kernels.functions.pointee.gemm(&arguments)
        case .rowMajor:
            OpenBLAS.multiply(
                rows: rows, columns: count, depth: depth, a: a.base, aStride: a.stride, b: storage + first * depth,
                bStride: depth, transposed: true, c: output, cStride: c.stride)
            var arguments = cetnet_epilogue(
                c: output, c_stride: c.stride, rows: rows, columns: count, bias: storage + columns * depth + first,
                activation: activation.rawValue, residual: added, residual_stride: residual?.stride ?? 0,
                residual_first: residualFirst ? 1 : 0)
            kernels.functions.pointee.epilogue(&arguments)
        }
    }
}
