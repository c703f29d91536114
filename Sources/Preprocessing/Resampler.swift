internal import CETNetKernels
internal import CKernels

/// The kernels of `resize.h`, called with Swift's types.
struct Resampler {
    /// Rows of bytes in memory, read or written by one pass.
    struct Rows<Pointer> {
        /// Start of the first row.
        var start: Pointer
        /// Distance of two rows in bytes.
        var stride: Int
    }

    let kernels: KernelSet

    /// Resamples `count` rows along the rows: columns become fewer or more.
    ///
    /// - Parameters:
    ///   - format: The layout of the input.
    ///   - table: Its outputs are the columns of the output; its source pixels count from the start of a row.
    ///   - output: Rows of 1 channel for grey, otherwise of red, green and blue.
    func resampleRows(
        _ input: Rows<UnsafePointer<UInt8>>, count: Int, format: PixelFormat, by table: ResampleTable,
        into output: Rows<UnsafeMutablePointer<UInt8>>
    ) {
        let offsets = format.channelOffsets
        // A tile of a few hundred pixels of 16 rows stays in the cache; a wide filter needs more.
        let tilePixels = max(table.taps, 256)
        let tileBytes = (tilePixels * format.bytesPerPixel + 15) / 16 * 256
        withUnsafeTemporaryAllocation(byteCount: tileBytes, alignment: 64) { tile in
            table.withUnsafePointers { firsts, counts, weights in
                var arguments = cetnet_resize_rows(
                    in: input.start, in_stride: input.stride, out: output.start, out_stride: output.stride,
                    rows: count, columns: table.outputs, pixel_bytes: format.bytesPerPixel,
                    channels: format.colorChannels, channel_offsets: (offsets.red, offsets.green, offsets.blue),
                    firsts: firsts, counts: counts, weights: weights, taps: table.taps,
                    tile: tile.baseAddress!.assumingMemoryBound(to: UInt8.self), tile_pixels: tilePixels)
                kernels.functions.pointee.resize_rows(&arguments)
            }
        }
    }

    /// Resamples rows of `rowBytes` bytes along the columns: rows become fewer or more.
    ///
    /// - Parameter table: Its outputs are the rows of the output; its source pixels count from the first row.
    func resampleColumns(
        _ input: Rows<UnsafePointer<UInt8>>, rowBytes: Int, by table: ResampleTable,
        into output: Rows<UnsafeMutablePointer<UInt8>>
    ) {
        table.withUnsafePointers { firsts, counts, weights in
            var arguments = cetnet_resize_columns(
                in: input.start, in_stride: input.stride, row_bytes: rowBytes, out: output.start,
                out_stride: output.stride, rows: table.outputs, firsts: firsts, counts: counts, weights: weights,
                taps: table.taps)
            kernels.functions.pointee.resize_columns(&arguments)
        }
    }

    /// Interleaved bytes to three planes of floats through three tables of 256 values.
    func planes(
        of bytes: [UInt8], channels: Int, tables: [Float], into planes: UnsafeMutablePointer<Float>
    ) {
        let count = bytes.count / channels
        bytes.withUnsafeBufferPointer { bytes in
            tables.withUnsafeBufferPointer { tables in
                var arguments = cetnet_pixels_to_planes(
                    x: bytes.baseAddress, count: count, channels: channels, tables: tables.baseAddress, y: planes,
                    plane: count)
                kernels.functions.pointee.pixels_to_planes(&arguments)
            }
        }
    }
}
