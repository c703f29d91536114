import CETNetEngine
import CETNetGraph
import CETNetKernels
import Foundation
import TestSupport
import Testing

/// The GEMM of every tier, and OpenBLAS, against sums in double precision.
@Suite struct MatrixTests {
    /// 1, 2 and 3 times powers of two, each ± 1.
    static let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 25, 31, 32, 33, 47, 49]

    struct Problem {
        var rows: Int
        var columns: Int
        var depth: Int
        var activation: Activation?
        var hasResidual = false
        var inPlace = false
        var residualFirst = false
    }

    static func check(_ problem: Problem, layout: WeightFormat, kernels: KernelSet) {
        let (rows, columns, depth) = (problem.rows, problem.columns, problem.depth)
        let name =
            "\(kernels.name) \(layout) \(rows)x\(columns)x\(depth) \(problem.activation?.name ?? "none") residual \(problem.hasResidual)"
        var noise = SeededGenerator(seed: UInt64(rows * 10007 + columns * 101 + depth))
        let (aStride, cStride) = (depth + 3, columns + 5)
        let aValues = noise.values(rows * depth)
        let weights = noise.values(columns * depth)
        let bias = noise.values(columns)
        let residualValues = noise.values(rows * columns)

        // Gaps between rows are NaN: whatever reads them shows.
        let a = GuardedBuffer(count: (rows - 1) * aStride + depth)
        for row in 0..<rows {
            for k in 0..<depth { a.pointer[row * aStride + k] = aValues[row * depth + k] }
        }
        let matrix = PackedMatrix(format: layout, columns: columns, depth: depth)
        let storage = GuardedBuffer(count: matrix.byteCount(kernels) / 4)
        matrix.pack(weights, bias: bias, into: storage.pointer, kernels: kernels)
        storage.checkGuards(name + " packing")
        #expect(storage.values.allSatisfy { !$0.isNaN }, "\(name): packing left gaps")

        let c = GuardedBuffer(count: (rows - 1) * cStride + columns)
        let residual = problem.inPlace ? c : GuardedBuffer(count: (rows - 1) * cStride + columns)
        for row in 0..<rows {
            for column in 0..<columns {
                residual.pointer[row * cStride + column] = residualValues[row * columns + column]
            }
        }
        matrix.multiply(
            Rows(a.pointer, stride: aStride), rows: rows, by: storage.pointer,
            PackedMatrix.Epilogue(
                activation: problem.activation,
                residual: problem.hasResidual ? Rows(residual.pointer, stride: cStride) : nil,
                isResidualFirst: problem.residualFirst),
            into: Rows(c.pointer, stride: cStride), kernels: kernels)
        c.checkGuards(name)

        var actual: [Float] = []
        var expected: [Double] = []
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = Double(bias[column])
                for k in 0..<depth {
                    sum += Double(aValues[row * depth + k]) * Double(weights[column * depth + k])
                }
                let added = problem.hasResidual ? Double(residualValues[row * columns + column]) : 0
                sum =
                    problem.residualFirst
                    ? Reference.activation(problem.activation, sum + added)
                    : Reference.activation(problem.activation, sum) + added
                expected.append(sum)
                actual.append(c.pointer[row * cStride + column])
            }
            if row + 1 < rows {
                let gap = (columns..<cStride).map { c.pointer[row * cStride + $0] }
                #expect(gap.allSatisfy { $0.isNaN }, "\(name): wrote between rows")
            }
        }
        expectClose(actual, expected, tolerance: sumTolerance(count: depth, magnitude: 2), name)
    }

    @Test(arguments: tiers) func everySizeOfTile(_ tier: Tier) {
        for rows in Self.sizes {
            for columns in [1, 5, 8, 16, 17, 31, 32, 33, 49, 64] {
                for depth in [1, 3, 16, 27] {
                    Self.check(
                        Problem(rows: rows, columns: columns, depth: depth), layout: .panels, kernels: tier.kernels)
                }
            }
        }
    }

    @Test(arguments: tiers) func everyDepth(_ tier: Tier) {
        for depth in Self.sizes + [63, 64, 65, 127, 129, 256, 1000] {
            Self.check(Problem(rows: 15, columns: 37, depth: depth), layout: .panels, kernels: tier.kernels)
        }
    }

    @Test(arguments: tiers) func epilogues(_ tier: Tier) {
        for activation in [nil] + Activation.allCases {
            for layout in [WeightFormat.panels, .rowMajor] {
                for columns in [7, 32, 45] {
                    var problem = Problem(rows: 19, columns: columns, depth: 24, activation: activation)
                    Self.check(problem, layout: layout, kernels: tier.kernels)
                    problem.hasResidual = true
                    Self.check(problem, layout: layout, kernels: tier.kernels)
                    problem.residualFirst = true
                    Self.check(problem, layout: layout, kernels: tier.kernels)
                    problem.inPlace = true
                    if layout == .panels {
                        Self.check(problem, layout: layout, kernels: tier.kernels)
                        problem.residualFirst = false
                        Self.check(problem, layout: layout, kernels: tier.kernels)
                    }
                }
            }
        }
    }

    @Test func openBLAS() {
        for (rows, columns, depth) in [(1, 1, 1), (3, 5, 7), (49, 64, 32), (98, 33, 129)] {
            Self.check(
                Problem(rows: rows, columns: columns, depth: depth), layout: .rowMajor, kernels: tiers[0].kernels)
        }
    }

    /// Factors that are folded in while packing, against folding them beforehand.
    @Test(arguments: tiers) func scales(_ tier: Tier) {
        for layout in [WeightFormat.panels, .rowMajor] {
            for (columns, depth) in [(1, 1), (7, 5), (33, 17), (64, 48)] {
                var noise = SeededGenerator(seed: 9)
                let weights = noise.values(columns * depth)
                let (columnScale, depthScale) = (noise.values(columns), noise.values(depth))
                let bias = noise.values(columns)
                let folded = weights.indices.map { weights[$0] * columnScale[$0 / depth] * depthScale[$0 % depth] }
                let matrix = PackedMatrix(format: layout, columns: columns, depth: depth)
                let count = matrix.byteCount(tier.kernels) / 4
                let (direct, beforehand) = (GuardedBuffer(count: count), GuardedBuffer(count: count))
                matrix.pack(
                    weights, columnScale: columnScale, depthScale: depthScale, bias: bias, into: direct.pointer,
                    kernels: tier.kernels)
                matrix.pack(folded, bias: bias, into: beforehand.pointer, kernels: tier.kernels)
                direct.checkGuards("packing with scales")
                #expect(direct.values == beforehand.values, "\(tier.kernels.name) \(layout) \(columns)x\(depth)")
            }
        }
    }

    /// However the rows and columns of a product are cut into calls, its bits stay the same.
    @Test(arguments: tiers) func bitsDoNotDependOnTheCut(_ tier: Tier) {
        let kernels = tier.kernels
        let (rows, columns, depth) = (61, 3 * kernels.panelColumns - 5, 77)
        var noise = SeededGenerator(seed: 5)
        let a = GuardedBuffer(noise.values(rows * depth))
        let matrix = PackedMatrix(format: .panels, columns: columns, depth: depth)
        let storage = GuardedBuffer(count: matrix.byteCount(kernels) / 4)
        matrix.pack(
            noise.values(columns * depth), bias: noise.values(columns), into: storage.pointer, kernels: kernels)
        func product(rowCuts: [Int], columnCuts: [Int]) -> [Float] {
            let c = GuardedBuffer(count: rows * columns)
            for (top, bottom) in zip(rowCuts, rowCuts.dropFirst()) {
                for (left, right) in zip(columnCuts, columnCuts.dropFirst()) {
                    matrix.multiply(
                        Rows(a.pointer + top * depth, stride: depth), rows: bottom - top, columns: left..<right,
                        by: storage.pointer, PackedMatrix.Epilogue(activation: .gelu),
                        into: Rows(c.pointer + top * columns, stride: columns), kernels: kernels)
                }
            }
            return c.values
        }
        let whole = product(rowCuts: [0, rows], columnCuts: [0, columns])
        #expect(whole.allSatisfy { $0.isFinite })
        let panel = kernels.panelColumns
        #expect(whole == product(rowCuts: [0, 1, 3, 20, 34, rows], columnCuts: [0, columns]))
        #expect(whole == product(rowCuts: [0, rows], columnCuts: [0, panel, columns]))
        #expect(whole == product(rowCuts: [0, 30, 31, rows], columnCuts: [0, 2 * panel, columns]))
    }
}
