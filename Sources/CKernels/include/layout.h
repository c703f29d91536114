#pragma once
// Moving numbers into the order that a kernel wants.

#include <stddef.h>

/// im2col of some output positions of a convolution: row i of the result holds the receptive field of output position
/// `first + i` in the order (filter row, filter column, channel); what lies outside of the map is zero.
typedef struct cetnet_im2col {
    /// height × width × channels, positions `x_stride` apart, rows `width · x_stride`.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t height;
    ptrdiff_t width;
    ptrdiff_t channels;
    ptrdiff_t kernel;
    ptrdiff_t stride;
    ptrdiff_t padding;
    /// Width of the output map; position p is row p / output_width, column p % output_width.
    ptrdiff_t output_width;
    ptrdiff_t first;
    ptrdiff_t count;
    /// count × (kernel · kernel · channels), rows `columns_stride` apart.
    float *columns;
    ptrdiff_t columns_stride;
} cetnet_im2col;

/// mean[c] = Σ over rows of x[row][c] / rows
typedef struct cetnet_mean_rows {
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t rows;
    ptrdiff_t channels;
    float *mean;
} cetnet_mean_rows;

/// y[row][2c] = a[row][c],  y[row][2c + 1] = b[row][c]
typedef struct cetnet_interleave {
    /// rows × channels each.
    const float *a;
    ptrdiff_t a_stride;
    const float *b;
    ptrdiff_t b_stride;
    ptrdiff_t rows;
    ptrdiff_t channels;
    /// rows × 2 · channels.
    float *y;
    ptrdiff_t y_stride;
} cetnet_interleave;

/// Planes to positions: y[p][c] = x[c][p] for `count` positions from `first`. `planes` is the distance of two planes.
void cetnet_planes_to_positions(
    const float *x, ptrdiff_t planes, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t count, float *y);

/// Positions to planes: y[c][p] = x[p][c] for `count` positions from `first`. Positions of x are `x_stride` apart, planes
/// of y `planes`.
void cetnet_positions_to_planes(
    const float *x, ptrdiff_t x_stride, ptrdiff_t planes, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t count,
    float *y);
