import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import TestSupport
import Testing

/// bfloat16 and int8: conversion, packing and products of every tier, with the processor's own instructions and without
/// them, against the definition in low_precision.h.
@Suite struct LowPrecisionTests {
    typealias Product = @convention(c) (UnsafePointer<cetnet_gemm>?) -> Void
    typealias Conversion = @convention(c) (UnsafePointer<cetnet_convert>?) -> Void

    static func products(_ format: WeightFormat, _ kernels: KernelSet) -> [(name: String, kernel: Product)] {
        let functions = kernels.functions.pointee
        return format == .int8
            ? [("gemm_int8", functions.gemm_int8), ("gemm_int8_widened", functions.gemm_int8_widened)]
            : [("gemm_bfloat16", functions.gemm_bfloat16), ("gemm_bfloat16_widened", functions.gemm_bfloat16_widened)]
    }

    static func conversions(_ format: WeightFormat, _ kernels: KernelSet) -> [(name: String, kernel: Conversion)] {
        let functions = kernels.functions.pointee
        return format == .int8
            ? [("convert_int8", functions.convert_int8)]
            : [
                ("convert_bfloat16", functions.convert_bfloat16),
                ("convert_bfloat16_widened", functions.convert_bfloat16_widened),
            ]
    }

    // MARK: The definition

    /// The nearest bfloat16, ties to even, as float32; denormals are zero.
    static func rounded(_ x: Float) -> Float {
        if x.isNaN { return .nan }
        if x.magnitude < Float.leastNormalMagnitude { return Float(signOf: x, magnitudeOf: 0) }
        let bits = x.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// Integers of −127…127 and their scale.
    static func quantized(_ row: some Collection<Float>) -> (integers: [Int], scale: Float) {
        guard row.allSatisfy(\.isFinite) else { return (row.map { _ in 0 }, .nan) }
        let largest = row.map(\.magnitude).max() ?? 0
        guard largest >= 0x1p-100 else { return (row.map { _ in 0 }, 0) }
        let inverse = 127 / largest
        return (row.map { Int(($0 * inverse).rounded(.toNearestOrEven)) }, largest / 127)
    }

    /// bias + Σ x·w: of each pair the odd element first.
    static func bfloat16Product(_ x: [Float], _ w: [Float], bias: Float) -> Float {
        var sum = bias
        for even in stride(from: 0, to: x.count, by: 2) {
            if even + 1 < x.count { sum.addProduct(rounded(x[even + 1]), rounded(w[even + 1])) }
            sum.addProduct(rounded(x[even]), rounded(w[even]))
        }
        return sum
    }

    // MARK: Conversion

    /// The words of one row, and what a kernel left of its guards.
    private func convert(_ row: [Float], _ format: WeightFormat, _ kernel: Conversion, _ name: String) -> [UInt32] {
        let x = GuardedBuffer(row)
        let y = GuardedBuffer(count: format.rowWords(depth: row.count))
        var arguments = cetnet_convert(
            x: x.pointer, x_stride: row.count, rows: 1, depth: row.count, y: y.pointer, y_stride: y.count)
        kernel(&arguments)
        y.checkGuards(name)
        return y.values.map(\.bitPattern)
    }

    /// Ties, signed zeros, the smallest and the largest numbers, infinity, NaN; and noise.
    @Test(arguments: tiers) func bfloat16Rounding(_ tier: Tier) {
        var noise = SeededGenerator(seed: 3)
        let ties = (0..<40).map { Float(bitPattern: 0x3f80_8000 + $0 << 16) }  // halfway between two bfloat16
        let special: [Float] = [
            0, -0, 1, -1, .leastNormalMagnitude, -.leastNormalMagnitude, .leastNormalMagnitude.nextDown,
            .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
            .infinity, -.infinity, Float(bitPattern: 0x7f7f_7fff), Float(bitPattern: 0x3f80_7fff),
            Float(bitPattern: 0x3f80_8001),
        ]
        let values = special + ties + ties.map { -$0 } + noise.values(300) + noise.values(300, scale: 1e-38)
        for count in [1, 2, 3, 7, 15, 16, 17, 31, 32, 33, values.count] {
            let row = Array(values.prefix(count))
            for (name, kernel) in Self.conversions(.bfloat16, tier.kernels) {
                let halves = convert(row, .bfloat16, kernel, name).flatMap { [$0 << 16, $0 & 0xffff_0000] }
                let expected = row.map { Self.rounded($0).bitPattern } + (count % 2 == 0 ? [] : [0])
                let wrong = zip(row, zip(halves, expected)).first { $1.0 != $1.1 }
                #expect(halves == expected, "\(tier.kernels.name) \(name), \(count): \(String(describing: wrong))")
            }
        }
        for (name, kernel) in Self.conversions(.bfloat16, tier.kernels) {
            for bits: UInt32 in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0x7fff_ffff] {
                let half = convert([1, Float(bitPattern: bits)], .bfloat16, kernel, name)[0] & 0xffff_0000
                #expect(
                    Float(bitPattern: half).isNaN,
                    "\(tier.kernels.name) \(name): NaN becomes \(String(half, radix: 16))")
            }
        }
    }

    @Test(arguments: tiers) func int8Rounding(_ tier: Tier) {
        var noise = SeededGenerator(seed: 4)
        let rows: [[Float]] = [
            [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -126.5, 3.4999998],  // scale 1: ties to even
            [254, 1, 3, 5, -1, -3, -5, 253, -0.0, 0],  // scale 2
            [0, -0, 0], [-0.0], [3], [-3e38, 1, 2, 3e38],
            [1e30, 1, -1, 1e29, 0],  // one huge value
            [0x1p-126, -0x1p-129, 0x1p-133], [0x1p-100, -0x1p-101], [Float(0x1p-100).nextDown, 0],
            [.greatestFiniteMagnitude, 1], [-.infinity, 1, 2], [1, .nan, 2], [.infinity, .nan],
            noise.values(63), noise.values(64), noise.values(65, scale: 1e-20), noise.values(257, scale: 1e20),
            noise.values(1000),
        ]
        for row in rows {
            let (expected, scale) = Self.quantized(row)
            for (name, kernel) in Self.conversions(.int8, tier.kernels) {
                let words = convert(row, .int8, kernel, name)
                let found = Float(bitPattern: words.last!)
                let what = "\(tier.kernels.name) \(name) of \(row.prefix(10))…"
                guard !scale.isNaN else {
                    #expect(found.isNaN, "\(what): scale \(found)")
                    continue
                }
                #expect(found == scale, "\(what): scale \(found), expected \(scale)")
                let integers = words.dropLast().flatMap { word in (0..<4).map { Int(word >> (8 * $0) & 255) - 128 } }
                #expect(Array(integers.prefix(row.count)) == expected, "\(what): \(integers) instead of \(expected)")
                #expect(integers.dropFirst(row.count).allSatisfy { $0 == 0 }, "\(what): \(integers) behind the row")
            }
        }
    }

    // MARK: Products

    private struct Operands {
        let format: WeightFormat, rows: Int, columns: Int, depth: Int
        var x: [Float], weights: [Float], bias: [Float]

        init(_ format: WeightFormat, rows: Int, columns: Int, depth: Int) {
            (self.format, self.rows, self.columns, self.depth) = (format, rows, columns, depth)
            var noise = SeededGenerator(seed: rows * 10007 + columns * 101 + depth)
            (x, weights, bias) = (noise.values(rows * depth), noise.values(columns * depth), noise.values(columns))
        }

        func row(_ index: Int) -> [Float] { Array(x[index * depth..<(index + 1) * depth]) }
        func column(_ index: Int) -> [Float] { Array(weights[index * depth..<(index + 1) * depth]) }

        /// Converts, packs and multiplies; columns from `first` on.
        func product(_ kernel: Product, _ kernels: KernelSet, name: String) -> [Float] {
            let matrix = PackedMatrix(format: format, columns: columns, depth: depth)
            let storage = GuardedBuffer(count: matrix.byteCount(kernels) / 4)
            matrix.pack(weights, bias: bias, into: storage.pointer, kernels: kernels)
            storage.checkGuards("\(name) packing")
            let stride = format.rowWords(depth: depth) + 3
            let (values, words) = (GuardedBuffer(x), GuardedBuffer(count: rows * stride))
            matrix.convert(
                Rows(values.pointer, stride: depth), rows: rows, into: Rows(words.pointer, stride: stride),
                kernels: kernels)
            words.checkGuards("\(name) conversion")
            let c = GuardedBuffer(count: rows * columns)
            var arguments = cetnet_gemm(
                a: words.pointer, a_stride: stride, panels: storage.pointer, rows: rows, columns: columns,
                depth: format.words(depth: depth), initial: nil, initial_stride: 0, activation: 0, residual: nil,
                residual_stride: 0, residual_first: 0, c: c.pointer, c_stride: columns)
            kernel(&arguments)
            c.checkGuards(name)
            return c.values
        }
    }

    /// Every height of tile, width of panel and rest of depth; bit for bit.
    @Test(arguments: tiers) func bfloat16Products(_ tier: Tier) {
        for (rows, columns, depth) in Self.shapes {
            let operands = Operands(.bfloat16, rows: rows, columns: columns, depth: depth)
            let expected = (0..<rows * columns).map { index in
                let (row, column) = (index / columns, index % columns)
                return Self.bfloat16Product(
                    operands.row(row), operands.column(column), bias: operands.bias[column])
            }
            for (name, kernel) in Self.products(.bfloat16, tier.kernels) {
                let found = operands.product(kernel, tier.kernels, name: name)
                let wrong = zip(found, expected).first { $0 != $1 }
                #expect(
                    found == expected,
                    "\(tier.kernels.name) \(name) \(rows)x\(columns)x\(depth): \(String(describing: wrong))")
            }
        }
    }

    /// Scales of 1 and no biases leave the integer sums, which are the same on every tier.
    @Test(arguments: tiers) func int8Sums(_ tier: Tier) {
        for (rows, columns, depth) in Self.shapes {
            var operands = Operands(.int8, rows: rows, columns: columns, depth: depth)
            operands.bias = operands.bias.map { _ in 0 }
            operands.x = operands.x.map { ($0 * 127).rounded() }
            operands.weights = operands.weights.map { ($0 * 127).rounded() }
            for row in 0..<rows { operands.x[row * depth + row % depth] = 127 }
            for column in 0..<columns { operands.weights[column * depth + column % depth] = -127 }
            let expected = (0..<rows * columns).map { index in
                Float(
                    zip(operands.row(index / columns), operands.column(index % columns)).reduce(0) {
                        $0 + Int($1.0) * Int($1.1)
                    })
            }
            for (name, kernel) in Self.products(.int8, tier.kernels) {
                let found = operands.product(kernel, tier.kernels, name: name)
                let wrong = zip(found, expected).first { $0 != $1 }
                #expect(
                    found == expected,
                    "\(tier.kernels.name) \(name) \(rows)x\(columns)x\(depth): \(String(describing: wrong))")
            }
        }
    }

    /// The largest sums there are: no part of a sum may saturate on the way.
    @Test(arguments: tiers) func int8Extremes(_ tier: Tier) {
        for (x, w) in [(Float(127), Float(127)), (-127, 127), (127, -127), (-127, -127)] {
            var operands = Operands(.int8, rows: 3, columns: 20, depth: 4098)
            operands.x = operands.x.map { _ in x }
            operands.weights = operands.weights.map { _ in w }
            operands.bias = operands.bias.map { _ in 0 }
            for (name, kernel) in Self.products(.int8, tier.kernels) {
                let found = Set(operands.product(kernel, tier.kernels, name: name))
                #expect(found == [x * w * 4098], "\(tier.kernels.name) \(name), \(x)·\(w): \(found)")
            }
        }
    }

    /// Scales and biases, within float32 rounding.
    @Test(arguments: tiers) func int8Products(_ tier: Tier) {
        for (rows, columns, depth) in Self.shapes {
            let operands = Operands(.int8, rows: rows, columns: columns, depth: depth)
            let expected = (0..<rows * columns).map { index -> Double in
                let (x, w) = (
                    Self.quantized(operands.row(index / columns)), Self.quantized(operands.column(index % columns))
                )
                let sum = zip(x.integers, w.integers).reduce(0) { $0 + $1.0 * $1.1 }
                return Double(sum) * Double(x.scale) * Double(w.scale) + Double(operands.bias[index % columns])
            }
            for (name, kernel) in Self.products(.int8, tier.kernels) {
                expectClose(
                    operands.product(kernel, tier.kernels, name: name), expected,
                    tolerance: 4 * epsilon * Double(depth + 1),
                    "\(tier.kernels.name) \(name) \(rows)x\(columns)x\(depth)")
            }
        }
    }

    private static let shapes: [(rows: Int, columns: Int, depth: Int)] =
        (1...29).map { ($0, 45, 27) }
        + [1, 5, 8, 16, 17, 31, 32, 33, 49, 64].map { (15, $0, 20) }
        + [1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 65, 66, 127, 130, 512].map { (7, 37, $0) }

    /// Whatever is wrong in one row or column stays there.
    @Test(arguments: tiers, [Float.nan, .infinity, -.infinity]) func infinityAndNaNStay(_ tier: Tier, _ wrong: Float) {
        for format in [WeightFormat.bfloat16, .int8] {
            var operands = Operands(format, rows: 17, columns: 40, depth: 70)
            for (name, kernel) in Self.products(format, tier.kernels) {
                let clean = operands.product(kernel, tier.kernels, name: name)
                operands.x[5 * 70 + 69] = wrong
                let found = operands.product(kernel, tier.kernels, name: name)
                for index in found.indices {
                    let (row, what) = (index / 40, "\(tier.kernels.name) \(name): element \(index) is \(found[index])")
                    if row == 5 {
                        #expect(!found[index].isFinite, "\(what)")
                    } else {
                        #expect(found[index] == clean[index], "\(what), expected \(clean[index])")
                    }
                }
                operands.x[5 * 70 + 69] = 0.25
            }
            operands.weights[7 * 70] = wrong
            for (name, kernel) in Self.products(format, tier.kernels) {
                let found = operands.product(kernel, tier.kernels, name: name)
                for index in found.indices {
                    let what = "\(tier.kernels.name) \(name), weight \(wrong): element \(index) is \(found[index])"
                    #expect(found[index].isFinite == (index % 40 != 7), "\(what)")
                }
            }
        }
    }

    /// The same epilogue as float32's, and the same bits however rows and columns are cut.
    @Test(arguments: tiers, [WeightFormat.bfloat16, .int8]) func epilogueAndCuts(_ tier: Tier, _ format: WeightFormat) {
        let (kernels, rows, depth) = (tier.kernels, 61, 77)
        let columns = 3 * kernels.panelColumns - 5
        let operands = Operands(format, rows: rows, columns: columns, depth: depth)
        let matrix = PackedMatrix(format: format, columns: columns, depth: depth)
        let storage = GuardedBuffer(count: matrix.byteCount(kernels) / 4)
        matrix.pack(operands.weights, bias: operands.bias, into: storage.pointer, kernels: kernels)
        let stride = format.rowWords(depth: depth)
        let (x, words) = (GuardedBuffer(operands.x), GuardedBuffer(count: rows * stride))
        matrix.convert(
            Rows(x.pointer, stride: depth), rows: rows, into: Rows(words.pointer, stride: stride), kernels: kernels)
        var noise = SeededGenerator(seed: 6)
        let residual = noise.values(rows * columns)
        func product(rowCuts: [Int], columnCuts: [Int], inPlace: Bool) -> [Float] {
            let added = GuardedBuffer(residual)
            let c = inPlace ? added : GuardedBuffer(count: rows * columns)
            for (top, bottom) in zip(rowCuts, rowCuts.dropFirst()) {
                for (left, right) in zip(columnCuts, columnCuts.dropFirst()) {
                    matrix.multiply(
                        Rows(words.pointer + top * stride, stride: stride), rows: bottom - top, columns: left..<right,
                        by: storage.pointer,
                        PackedMatrix.Epilogue(
                            activation: .gelu, residual: Rows(added.pointer + top * columns, stride: columns)),
                        into: Rows(c.pointer + top * columns, stride: columns), kernels: kernels)
                }
            }
            return c.values
        }
        let plain = operands.product(Self.products(format, kernels)[0].kernel, kernels, name: "product")
        let whole = product(rowCuts: [0, rows], columnCuts: [0, columns], inPlace: false)
        expectClose(
            whole,
            plain.indices.map { Reference.activation(.gelu, Double(plain[$0])) + Double(residual[$0]) },
            tolerance: 1e-5, "\(kernels.name) \(format) epilogue")
        let panel = kernels.panelColumns
        for inPlace in [false, true] {
            #expect(
                whole == product(rowCuts: [0, 1, 3, 20, 34, rows], columnCuts: [0, panel, columns], inPlace: inPlace))
            #expect(
                whole == product(rowCuts: [0, 30, 31, rows], columnCuts: [0, 2 * panel, columns], inPlace: inPlace))
        }
    }

    /// What is read back, packed again, is the same storage.
    @Test(arguments: tiers) func unpacking(_ tier: Tier) {
        for (columns, depth) in [(1, 1), (7, 5), (33, 17), (64, 148)] {
            let kernels = tier.kernels
            var noise = SeededGenerator(seed: 10)
            let (weights, bias) = (noise.values(columns * depth), noise.values(columns))
            for format in [WeightFormat.bfloat16, .int8] {
                let matrix = PackedMatrix(format: format, columns: columns, depth: depth)
                let (packed, again) = (
                    GuardedBuffer(count: matrix.byteCount(kernels) / 4),
                    GuardedBuffer(count: matrix.byteCount(kernels) / 4)
                )
                matrix.pack(weights, bias: bias, into: packed.pointer, kernels: kernels)
                let (scales, biases) = matrix.unpackHeader(packed.pointer, kernels: kernels)
                let what = "\(kernels.name) \(format) \(columns)x\(depth)"
                #expect(biases == bias, "\(what)")
                if format == .int8 {
                    let integers = matrix.unpackWeights(packed.pointer, as: Int8.self, kernels: kernels)
                    let expected = (0..<columns).map { Self.quantized(weights[$0 * depth..<($0 + 1) * depth]) }
                    #expect(integers.map(Int.init) == expected.flatMap(\.integers), "\(what)")
                    #expect(scales == expected.map(\.scale), "\(what)")
                    let given = GuardedBuffer(count: integers.count / 4 + 1)
                    given.pointer.withMemoryRebound(to: Int8.self, capacity: integers.count) {
                        $0.update(from: integers, count: integers.count)
                        matrix.pack(integers: $0, scales: scales, bias: biases, into: again.pointer, kernels: kernels)
                    }
                } else {
                    let halves = matrix.unpackWeights(packed.pointer, as: UInt16.self, kernels: kernels)
                    #expect(halves.map { Float(bitPattern: UInt32($0) << 16) } == weights.map(Self.rounded), "\(what)")
                    matrix.pack(
                        halves.map { Float(bitPattern: UInt32($0) << 16) }, bias: biases, into: again.pointer,
                        kernels: kernels)
                }
                again.checkGuards(what)
                #expect(again.values.map(\.bitPattern) == packed.values.map(\.bitPattern), "\(what)")
            }
        }
    }

    /// Factors that are folded in while packing, against folding them beforehand.
    @Test(arguments: tiers, [WeightFormat.bfloat16, .int8]) func scales(_ tier: Tier, _ format: WeightFormat) {
        for (columns, depth) in [(1, 1), (7, 5), (33, 17), (64, 148)] {
            var noise = SeededGenerator(seed: 9)
            let weights = noise.values(columns * depth)
            let (columnScale, depthScale) = (noise.values(columns), noise.values(depth))
            let bias = noise.values(columns)
            let folded = weights.indices.map { weights[$0] * columnScale[$0 / depth] * depthScale[$0 % depth] }
            let matrix = PackedMatrix(format: format, columns: columns, depth: depth)
            let count = matrix.byteCount(tier.kernels) / 4
            let (direct, beforehand) = (GuardedBuffer(count: count), GuardedBuffer(count: count))
            matrix.pack(
                weights, columnScale: columnScale, depthScale: depthScale, bias: bias, into: direct.pointer,
                kernels: tier.kernels)
            matrix.pack(folded, bias: bias, into: beforehand.pointer, kernels: tier.kernels)
            direct.checkGuards("packing with scales")
            #expect(
                direct.values.map(\.bitPattern) == beforehand.values.map(\.bitPattern),
                "\(tier.kernels.name) \(format) \(columns)x\(depth)")
        }
    }
}
