#pragma once
// Resampling of 8-bit images as Pillow does it: one pass along the rows, one along the columns, each
//   out[i] = clip((2^21 + Σ over k < counts[i] of weights[i · taps + k] · in[firsts[i] + k]) >> 22, 0, 255)
// with weights in fixed point, 2^22 being 1. All arithmetic is exact in 32-bit integers, so every tier gives the same
// bytes. `firsts` and `firsts + counts` must not decrease from one output to the next.

#include <stddef.h>
#include <stdint.h>

enum {
    /// Fractional bits of a weight: 32 less 8 for the pixel and 2 for the overshoot of the filter.
    CETNET_RESIZE_WEIGHT_BITS = 22,
};

/// Along the rows: each output row is the resampled input row. Interleaved pixels in, interleaved channels out; the
/// channels that are not asked for (an alpha channel, say) are dropped on the way.
typedef struct cetnet_resize_rows {
    /// The input, `rows` rows of pixels, `in_stride` bytes apart.
    const uint8_t *in;
    ptrdiff_t in_stride;
    /// The output, `rows` rows of columns × channels bytes, `out_stride` bytes apart.
    uint8_t *out;
    ptrdiff_t out_stride;
    ptrdiff_t rows;
    /// Output pixels of a row.
    ptrdiff_t columns;
    /// Bytes of an input pixel.
    ptrdiff_t pixel_bytes;
    /// Channels of the output, 1 or 3, and where in an input pixel each is found.
    ptrdiff_t channels;
    ptrdiff_t channel_offsets[3];
    /// Per output column: its first input column, how many it takes, and their weights.
    const int32_t *firsts;
    const int32_t *counts;
    const int32_t *weights;
    /// Distance of two columns' weights; no count is larger.
    ptrdiff_t taps;
    /// Working space of tile_pixels × pixel_bytes × 16 bytes, rounded up to a multiple of 256, aligned to 16 bytes;
    /// tile_pixels ≥ taps.
    uint8_t *tile;
    ptrdiff_t tile_pixels;
} cetnet_resize_rows;

/// Along the columns: each output row is a weighted sum of input rows.
typedef struct cetnet_resize_columns {
    /// Input rows of `row_bytes` bytes, `in_stride` bytes apart; row 0 is the one that firsts[i] = 0 means.
    const uint8_t *in;
    ptrdiff_t in_stride;
    ptrdiff_t row_bytes;
    /// The output, `rows` rows of `row_bytes` bytes, `out_stride` bytes apart.
    uint8_t *out;
    ptrdiff_t out_stride;
    ptrdiff_t rows;
    /// Per output row: its first input row, how many it takes, and their weights.
    const int32_t *firsts;
    const int32_t *counts;
    const int32_t *weights;
    /// Distance of two rows' weights.
    ptrdiff_t taps;
} cetnet_resize_columns;

/// Interleaved bytes to planes of floats through a table of 256 values per plane:
///   y[p · plane + i] = tables[p][x[i · channels + (channels == 1 ? 0 : p)]]   for p < 3 and i < count
typedef struct cetnet_pixels_to_planes {
    const uint8_t *x;
    ptrdiff_t count;
    /// 1 (the value serves all planes) or 3.
    ptrdiff_t channels;
    /// 3 × 256.
    const float *tables;
    /// 3 × plane, plane ≥ count.
    float *y;
    ptrdiff_t plane;
} cetnet_pixels_to_planes;
