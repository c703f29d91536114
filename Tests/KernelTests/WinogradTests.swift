import CETNetEngine
import CETNetGraph
import CETNetKernels
import TestSupport
import Testing

/// Winograd's convolution of every tier against the direct sum in double precision, at sizes where every edge occurs.
@Suite struct WinogradTests {
    private struct Problem {
        var size: ImageSize
        var inputs: Int
        var outputs: Int
        var activation: Activation?
        var hasResidual = false
        var residualFirst = false
        var format = WeightFormat.panels
    }

    @Test(arguments: tiers) func agreesWithTheDirectSum(_ tier: Tier) throws {
        for (height, width) in [(1, 1), (1, 6), (2, 2), (3, 5), (4, 7), (9, 6)] {
            for (inputs, outputs) in [(1, 1), (3, 5), (16, 33), (37, 40)] {
                for residual in [false, true] {
                    let size = ImageSize(height: height, width: width)
                    try check(
                        Problem(size: size, inputs: inputs, outputs: outputs, hasResidual: residual), tier.kernels)
                    try check(
                        Problem(
                            size: size, inputs: inputs, outputs: outputs, activation: .relu, hasResidual: residual,
                            residualFirst: outputs == 33), tier.kernels)
                }
            }
        }
        let size = ImageSize(height: 5, width: 6)
        try check(Problem(size: size, inputs: 40, outputs: 33, format: .rowMajor), tier.kernels)
        try check(Problem(size: size, inputs: 40, outputs: 33, format: .bfloat16), tier.kernels)
    }

    private func check(_ problem: Problem, _ kernels: KernelSet) throws {
        let (size, inputs, outputs) = (problem.size, problem.inputs, problem.outputs)
        let name = "\(kernels.name) \(problem)"
        var noise = SeededGenerator(seed: UInt64(size.height * 1000 + size.width * 100 + inputs))
        let x = noise.values(size.area * inputs)
        // Gaps between positions are NaN: whatever reads them shows.
        let (inputGap, outputGap) = (3, 5)
        let input = GuardedBuffer(spread(x, rows: inputs, gap: inputGap))
        // The middle inputs of a wider convolution.
        let (first, all) = (2, inputs + 3)
        let weights = noise.values(outputs * all * 9)
        let scale = noise.values(outputs).map { 1 + $0 / 4 }
        let bias = GuardedBuffer(noise.values(outputs))
        let residual = noise.values(size.area * outputs)
        let added = GuardedBuffer(spread(residual, rows: outputs, gap: 1))

        let matrices = WinogradMatrices(format: problem.format, inputs: inputs, outputs: outputs)
        let storage = GuardedBuffer(count: matrices.byteCount(kernels) / 4)
        try matrices.pack(
            weights, inputsOfAll: all, first: first, columnScale: scale, into: storage.pointer, kernels: kernels)
        storage.checkGuards(name + " packing")

        func convolve(_ rectangles: [TileRectangle]) -> [Float] {
            let output = GuardedBuffer(count: size.area * (outputs + outputGap))
            for tiles in rectangles {
                let position =
                    tiles.outputRows(of: size).lowerBound * size.width
                    + tiles.outputColumns(of: size).lowerBound
                let scratch = GuardedBuffer(count: matrices.scratchFloats(tiles: tiles.count))
                let start = Rows(added.pointer + position * (outputs + 1), stride: outputs + 1)
                matrices.convolve(
                    Rows(input.pointer, stride: inputs + inputGap), size: size, tiles: tiles, by: storage.pointer,
                    WinogradMatrices.Epilogue(
                        bias: bias.pointer, activation: problem.activation,
                        residual: problem.hasResidual ? (start, size.width * (outputs + 1)) : nil,
                        isResidualFirst: problem.residualFirst),
                    scratch: scratch.pointer, into: Rows(output.pointer, stride: outputs + outputGap),
                    kernels: kernels)
                scratch.checkGuards(name + " scratch")
            }
            output.checkGuards(name)
            let (values, between) = gathered(output.values, rows: outputs, gap: outputGap)
            #expect(between.allSatisfy { $0.isNaN }, "\(name): wrote between positions")
            return values
        }
        let (rows, columns) = ((size.height + 1) / 2, (size.width + 1) / 2)
        let whole = convolve([TileRectangle(rows: 0..<rows, columns: 0..<columns)])
        if problem.format.isIndependentOfTheCut {
            let cut = convolve(
                (0..<rows).flatMap { row in
                    (0..<columns).map { TileRectangle(rows: row..<row + 1, columns: $0..<$0 + 1) }
                })
            #expect(whole == cut, "\(name): another result tile by tile")
        }

        let expected = (0..<size.area * outputs).map { index in
            let (position, output) = (index / outputs, index % outputs)
            var sum = 0.0
            for tap in 0..<9 {
                let row = position / size.width + tap / 3 - 1
                let column = position % size.width + tap % 3 - 1
                guard 0..<size.height ~= row, 0..<size.width ~= column else { continue }
                for channel in 0..<inputs {
                    sum +=
                        Double(x[(row * size.width + column) * inputs + channel])
                        * Double(weights[(output * all + first + channel) * 9 + tap])
                }
            }
            sum = sum * Double(scale[output]) + Double(bias.values[output])
            let extra = problem.hasResidual ? Double(residual[index]) : 0
            return problem.residualFirst
                ? Reference.activation(problem.activation, sum + extra)
                : Reference.activation(problem.activation, sum) + extra
        }
        // Transformed inputs are sums of four, transformed weights below 1.25 · 9 / 4, and sixteen products are added up
        // where the direct sum has nine: four times its tolerance. Numbers of bfloat16 are off by up to 2^-9.
        let tolerance =
            4 * sumTolerance(count: 9 * inputs, magnitude: 1.5)
            + (problem.format == .bfloat16 ? 0x1p-8 * 4 * 3 * Double(inputs).squareRoot() : 0)
        expectClose(whole, expected, tolerance: tolerance, name)
    }
}
