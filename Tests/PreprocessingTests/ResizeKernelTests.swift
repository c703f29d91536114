import CETNetKernels
import CKernels
import TestSupport
import Testing

/// The kernels of `resize.h` on every tier that this machine has, against the formula in 64-bit integers.
@Suite("Resize kernels")
struct ResizeKernelTests {
    private static var tiers: [cetnet_kernel_set] { KernelSet.usable.map(\.functions.pointee) }

    private static let guardByte: UInt8 = 0xA5

    /// Random firsts, counts and weights for `outputs` outputs from `inputs` pixels.
    private struct Table {
        var firsts: [Int32] = []
        var counts: [Int32] = []
        var weights: [Int32] = []
        var taps: Int

        init(outputs: Int, inputs: Int, taps: Int, using random: inout SeededGenerator) {
            self.taps = min(taps, inputs)
            var starts = (0..<outputs).map { _ in Int.random(in: 0..<inputs, using: &random) }.sorted()
            // Now and then the same pixels again, as when an image grows.
            for i in starts.indices.dropFirst() where Bool.random(using: &random) { starts[i] = starts[i - 1] }
            var end = 0
            for start in starts {
                // Ends may not decrease either.
                end = min(max(end, start + Int.random(in: 1...self.taps, using: &random)), start + self.taps, inputs)
                firsts.append(Int32(start))
                counts.append(Int32(end - start))
                // Of both signs, and past both ends of the range of a byte, but within 32 bits.
                let limit = (1 << 23) / Int32(end - start)
                weights += (0..<self.taps).map { _ in Int32.random(in: -limit...limit, using: &random) }
            }
        }

        func value(_ output: Int, _ input: (Int) -> UInt8) -> UInt8 {
            var sum = Int64(1 << 21)
            for k in 0..<Int(counts[output]) {
                sum += Int64(weights[output * taps + k]) * Int64(input(Int(firsts[output]) + k))
            }
            return UInt8(clamping: sum >> 22)
        }
    }

    @Test("along the rows")
    func rows() throws {
        try #require(!Self.tiers.isEmpty && String(cString: Self.tiers.last!.name) == "portable")
        var random = SeededGenerator(seed: 20)
        for rowCount in [1, 2, 15, 16, 17, 33] {
            for (columns, width, taps) in [
                (1, 1, 1), (3, 2, 2), (16, 40, 9), (129, 300, 5), (260, 31, 4), (5, 900, 700),
            ] {
                for (pixelBytes, channels, offsets) in [(1, 1, (0, 0, 0)), (3, 3, (0, 1, 2)), (4, 3, (2, 1, 0))] {
                    let table = Table(outputs: columns, inputs: width, taps: taps, using: &random)
                    let inStride = width * pixelBytes + 3, outStride = columns * channels + 5
                    // Without padding behind the last row, so that a read past the end is one past the memory.
                    let input = (0..<(rowCount - 1) * inStride + width * pixelBytes).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    let tilePixels = table.taps + Int.random(in: 0...60, using: &random)
                    let tileBytes = (tilePixels * pixelBytes + 15) / 16 * 256
                    for tier in Self.tiers {
                        var output = [UInt8](repeating: Self.guardByte, count: rowCount * outStride)
                        withUnsafeTemporaryAllocation(byteCount: tileBytes, alignment: 64) { tile in
                            var arguments = cetnet_resize_rows()
                            arguments.in_stride = inStride
                            arguments.out_stride = outStride
                            arguments.rows = rowCount
                            arguments.columns = columns
                            arguments.pixel_bytes = pixelBytes
                            arguments.channels = channels
                            arguments.channel_offsets = offsets
                            arguments.taps = table.taps
                            arguments.tile = tile.bindMemory(to: UInt8.self).baseAddress
                            arguments.tile_pixels = tilePixels
                            call(table, input, &output) { firsts, counts, weights, input, output in
                                arguments.firsts = firsts
                                arguments.counts = counts
                                arguments.weights = weights
                                arguments.in = input
                                arguments.out = output
                                tier.resize_rows(&arguments)
                            }
                        }
                        var expected = [UInt8](repeating: Self.guardByte, count: rowCount * outStride)
                        let channelOffsets = [offsets.0, offsets.1, offsets.2]
                        for row in 0..<rowCount {
                            for column in 0..<columns {
                                for channel in 0..<channels {
                                    expected[row * outStride + column * channels + channel] = table.value(column) {
                                        input[row * inStride + $0 * pixelBytes + channelOffsets[channel]]
                                    }
                                }
                            }
                        }
                        #expect(
                            output == expected,
                            """
                            \(String(cString: tier.name)): \(rowCount) rows, \(width) -> \(columns) columns of \
                            \(pixelBytes) bytes; the first difference is at \
                            \(zip(output, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? -1)
                            """)
                    }
                }
            }
        }
    }

    @Test("along the columns")
    func columns() {
        var random = SeededGenerator(seed: 21)
        for (rows, height, taps) in [(1, 1, 1), (3, 2, 2), (8, 40, 9), (40, 7, 4), (2, 900, 700)] {
            for rowBytes in [1, 2, 15, 16, 17, 63, 64, 65, 80, 127, 129, 200] {
                let table = Table(outputs: rows, inputs: height, taps: taps, using: &random)
                let inStride = rowBytes + 7, outStride = rowBytes + 3
                let input = (0..<(height - 1) * inStride + rowBytes).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                for tier in Self.tiers {
                    var output = [UInt8](repeating: Self.guardByte, count: rows * outStride)
                    var arguments = cetnet_resize_columns()
                    arguments.in_stride = inStride
                    arguments.row_bytes = rowBytes
                    arguments.out_stride = outStride
                    arguments.rows = rows
                    arguments.taps = table.taps
                    call(table, input, &output) { firsts, counts, weights, input, output in
                        arguments.firsts = firsts
                        arguments.counts = counts
                        arguments.weights = weights
                        arguments.in = input
                        arguments.out = output
                        tier.resize_columns(&arguments)
                    }
                    var expected = [UInt8](repeating: Self.guardByte, count: rows * outStride)
                    for row in 0..<rows {
                        for byte in 0..<rowBytes {
                            expected[row * outStride + byte] = table.value(row) { input[$0 * inStride + byte] }
                        }
                    }
                    #expect(
                        output == expected,
                        "\(String(cString: tier.name)): \(height) -> \(rows) rows of \(rowBytes) bytes")
                }
            }
        }
    }

    private func call(
        _ table: Table, _ input: [UInt8], _ output: inout [UInt8],
        _ body: (
            UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<UInt8>,
            UnsafeMutablePointer<UInt8>
        ) -> Void
    ) {
        table.firsts.withUnsafeBufferPointer { firsts in
            table.counts.withUnsafeBufferPointer { counts in
                table.weights.withUnsafeBufferPointer { weights in
                    input.withUnsafeBufferPointer { input in
                        output.withUnsafeMutableBufferPointer { output in
                            body(
                                firsts.baseAddress!, counts.baseAddress!, weights.baseAddress!, input.baseAddress!,
                                output.baseAddress!)
                        }
                    }
                }
            }
        }
    }
}
