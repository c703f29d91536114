import CETNetGraph
import CETNetKernels
import CKernels
import Foundation

/// How the weights of matrix products are stored, which decides who multiplies. Chosen per layer when a network is
/// frozen.
package enum WeightFormat: Sendable, Hashable {
    /// float32 in panels for the kernel set's own GEMM, biases included.
    case panels
    /// float32, row-major as in PyTorch, for OpenBLAS, followed by the biases.
    case rowMajor
    /// bfloat16 in panels; activations are converted to it.
    case bfloat16
    /// 8-bit integers in panels, scaled per column; activations are converted to them, scaled per row.
    case int8

    /// For float32, who multiplies fastest: without wide vectors OpenBLAS's hand-written kernels win, and in a debug build
    /// OpenBLAS, where it is installed, because it is compiled optimised.
    init(_ backend: Backend, kernels: KernelSet) {
        self = backend == .openBLAS || kernels.isPortable || Self.replacesKernels ? .rowMajor : .panels
    }

    /// Whether the C kernels are not optimised and OpenBLAS is there instead; says so once on standard error.
    private static let replacesKernels: Bool = {
        guard !cetnet_is_optimised() else { return false }
        let isThere = (try? OpenBLAS.load()) != nil
        let who = isThere ? "matrix products by OpenBLAS, the rest" : "OpenBLAS is not installed, everything"
        let message = "cetnet: debug build: \(who) unoptimised; build with -c release to be fast\n"
        _ = Array(message.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        return isThere
    }()

    /// Whether a product's bits are the same however its rows are cut. OpenBLAS may round differently for another number
    /// of rows.
    package var isIndependentOfTheCut: Bool { self != .rowMajor }

    /// Whether the residual of a product may be its output.
    var canReplaceResidual: Bool { self != .rowMajor }

    /// Whether activations have to be converted to it.
    var isConverted: Bool { self == .bfloat16 || self == .int8 }

    /// Steps of depth that a product takes, one word of 32 bits each.
    package func words(depth: Int) -> Int {
        switch self {
        case .panels, .rowMajor: depth
        case .bfloat16: (depth + CETNET_BFLOAT16_PER_WORD - 1) / CETNET_BFLOAT16_PER_WORD
        case .int8: (depth + CETNET_INT8_PER_WORD - 1) / CETNET_INT8_PER_WORD
        }
    }

    /// Words of a row of activations: those of int8 have their scale behind them.
    package func rowWords(depth: Int) -> Int { words(depth: depth) + (self == .int8 ? 1 : 0) }

    /// Words of a panel's column: bias, scales and weights.
    fileprivate func columnWords(depth: Int) -> Int {
        words(depth: depth) + (self == .int8 ? Int(CETNET_INT8_HEADER) : 1)
    }
}

/// The weights of a linear layer or convolution, packed for whoever multiplies them: their format, their size and where
/// everything is.
///
/// Computes `C = activation(A · Wᵀ + bias) + residual` with A rows × depth and W columns × depth; the residual can also
/// be added before the activation.
package struct PackedMatrix: Sendable {
    package let format: WeightFormat
    /// Outputs.
    package let columns: Int
    /// Numbers that an output is a sum over.
    package let depth: Int

    package init(format: WeightFormat, columns: Int, depth: Int) {
        self.format = format
        self.columns = columns
        self.depth = depth
    }

    /// Bytes of storage.
    package func byteCount(_ kernels: KernelSet) -> Int {
        let packedColumns = format == .rowMajor ? columns : kernels.packedColumns(columns)
        return packedColumns * format.columnWords(depth: depth) * MemoryLayout<Float>.stride
    }

    /// Fills storage of ``byteCount(_:)`` with `(weight · columnScale) · depthScale`.
    /// - Parameters:
    ///   - weights: columns × depth, contiguous.
    ///   - columnScale: one factor per column, or `nil`.
    ///   - depthScale: one factor per position of depth, or `nil`.
    ///   - bias: one value per column; not scaled.
    package func pack(
        _ weights: UnsafePointer<Float>, columnScale: UnsafePointer<Float>? = nil,
        depthScale: UnsafePointer<Float>? = nil, bias: UnsafePointer<Float>, into storage: UnsafeMutableRawPointer,
        kernels: KernelSet
    ) {
        let floats = storage.assumingMemoryBound(to: Float.self)
        switch format {
        case .rowMajor:
            floats.update(from: weights, count: columns * depth)
            for column in 0..<columns {
                let row = floats + column * depth
                if let factor = columnScale?[column] { for k in 0..<depth { row[k] *= factor } }
                if let depthScale { for k in 0..<depth { row[k] *= depthScale[k] } }
            }
            (floats + columns * depth).update(from: bias, count: columns)
        case .panels, .bfloat16, .int8:
            var arguments = cetnet_pack(
                weights: weights, weights_stride: depth, column_scale: columnScale, depth_scale: depthScale,
                bias: bias, columns: columns, depth: depth, integers: nil, scales: nil, panels: floats)
            switch format {
            case .bfloat16: kernels.functions.pointee.pack_bfloat16(&arguments)
            case .int8: kernels.functions.pointee.pack_int8(&arguments)
            case .panels, .rowMajor: kernels.functions.pointee.pack_panels(&arguments)
            }
        }
    }

    /// Fills storage of an ``WeightFormat/int8`` matrix with integers that are given.
    /// - Parameters:
    ///   - integers: columns × depth, contiguous, −127…127.
    ///   - scales: one per column.
    ///   - bias: one value per column.
    package func pack(
        integers: UnsafePointer<Int8>, scales: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        into storage: UnsafeMutableRawPointer, kernels: KernelSet
    ) {
        var arguments = cetnet_pack(
            weights: nil, weights_stride: 0, column_scale: nil, depth_scale: nil, bias: bias, columns: columns,
            depth: depth, integers: integers, scales: scales, panels: storage.assumingMemoryBound(to: Float.self))
        kernels.functions.pointee.pack_int8(&arguments)
    }

    /// Reads the weights of ``WeightFormat/bfloat16`` or ``WeightFormat/int8`` back.
    /// - Returns: columns × depth bit patterns of 16 or 8 bits.
    package func unpackWeights<Element: FixedWidthInteger>(
        _ storage: UnsafeRawPointer, as type: Element.Type, kernels: KernelSet
    ) -> [Element] {
        precondition(format.isConverted && Element.bitWidth == (format == .int8 ? 8 : 16))
        let perWord = UInt32.bitWidth / Element.bitWidth
        var weights: [Element] = []
        weights.reserveCapacity(columns * depth)
        for column in 0..<columns {
            let (top, width) = place(of: column, storage, kernels)
            let words = top + header * width
            for k in 0..<depth {
                let word = words[k / perWord * width].bitPattern
                weights.append(Element(truncatingIfNeeded: word >> UInt32(k % perWord * Element.bitWidth)))
            }
        }
        return weights
    }

    /// Reads what is in front of the weights of ``WeightFormat/bfloat16`` or ``WeightFormat/int8`` back.
    /// - Returns: a bias per column, and a scale per column of int8.
    package func unpackHeader(_ storage: UnsafeRawPointer, kernels: KernelSet) -> (scales: [Float], bias: [Float]) {
        let columns = (0..<columns).map { place(of: $0, storage, kernels) }
        return (
            format == .int8 ? columns.map { $0.top[$0.width] } : [], columns.map { $0.top[(header - 1) * $0.width] }
        )
    }

    /// Rows of a panel in front of its weights.
    private var header: Int { format.columnWords(depth: depth) - format.words(depth: depth) }

    /// Where a column begins, and how many words its rows are apart.
    private func place(
        of column: Int, _ storage: UnsafeRawPointer, _ kernels: KernelSet
    ) -> (top: UnsafePointer<Float>, width: Int) {
        let first = column / kernels.panelColumns * kernels.panelColumns
        let top = storage.assumingMemoryBound(to: Float.self) + first * format.columnWords(depth: depth)
        return (top + (column - first), min(kernels.panelColumns, kernels.packedColumns(columns) - first))
    }

    /// Converts `rows` rows of activations to the format's words, ``WeightFormat/rowWords(depth:)`` a row.
    package func convert(_ x: Rows, rows: Int, into y: Rows, kernels: KernelSet) {
        var arguments = cetnet_convert(
            x: x.base, x_stride: x.stride, rows: rows, depth: depth, y: y.base, y_stride: y.stride)
        switch format {
        case .bfloat16: kernels.functions.pointee.convert_bfloat16(&arguments)
        case .int8: kernels.functions.pointee.convert_int8(&arguments)
        case .panels, .rowMajor: preconditionFailure("float32 rows are used as they are")
        }
    }

    /// What a product does with its sums before it stores them.
    package struct Epilogue {
        package var activation: Activation?
        package var residual: Rows?
        /// Whether the residual is added before the activation instead of after it.
        package var isResidualFirst = false

        package init(activation: Activation? = nil, residual: Rows? = nil, isResidualFirst: Bool = false) {
            self.activation = activation
            self.residual = residual
            self.isResidualFirst = isResidualFirst
        }
    }

    /// Multiplies `rows` rows, in the format's words, by the columns of `range`, whose lower bound is a multiple of the
    /// panel width.
    ///
    /// The residual may be the output itself, but for ``WeightFormat/rowMajor``: OpenBLAS overwrites the output first.
    package func multiply(
        _ a: Rows, rows: Int, columns range: Range<Int>? = nil, by storage: UnsafeRawPointer,
        _ epilogue: Epilogue = Epilogue(), into c: Rows, kernels: KernelSet
    ) {
        let range = range ?? 0..<columns
        let (first, count) = (range.lowerBound, range.count)
        let floats = storage.assumingMemoryBound(to: Float.self)
        let output = c.base + first
        let residual = epilogue.residual.map { UnsafePointer($0.base + first) }
        let (residualStride, residualFirst) = (epilogue.residual?.stride ?? 0, Int32(epilogue.isResidualFirst ? 1 : 0))
        switch format {
        case .panels, .bfloat16, .int8:
            var arguments = cetnet_gemm(
                a: a.base, a_stride: a.stride, panels: floats + first * format.columnWords(depth: depth), rows: rows,
                columns: count, depth: format.words(depth: depth), initial: nil, initial_stride: 0,
                activation: epilogue.activation.kernel,
                residual: residual, residual_stride: residualStride, residual_first: residualFirst, c: output,
                c_stride: c.stride)
            switch format {
            case .bfloat16: kernels.functions.pointee.gemm_bfloat16(&arguments)
            case .int8: kernels.functions.pointee.gemm_int8(&arguments)
            case .panels, .rowMajor: kernels.functions.pointee.gemm(&arguments)
            }
        case .rowMajor:
            OpenBLAS.multiply(
                rows: rows, columns: count, depth: depth, a: a.base, aStride: a.stride, b: floats + first * depth,
                bStride: depth, transposed: true, c: output, cStride: c.stride)
            var arguments = cetnet_epilogue(
                c: output, c_stride: c.stride, rows: rows, columns: count, bias: floats + columns * depth + first,
                activation: epilogue.activation.kernel, residual: residual, residual_stride: residualStride,
                residual_first: residualFirst)
            kernels.functions.pointee.epilogue(&arguments)
        }
    }
}
