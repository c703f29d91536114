#pragma once
// Depthwise convolution over a row-major map with channels innermost:
//   y[r][c][·] = activation(bias + Σ over (i, j) of x[r·stride − padding + i][c·stride − padding + j][·] · w[i][j][·])
// taps outside of the map count as zero and are skipped.

#include <stddef.h>
#include <stdint.h>

#include "activation.h"

typedef struct cetnet_depthwise {
    /// height × width × channels, positions `x_stride` apart, rows `width · x_stride`.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t height;
    ptrdiff_t width;
    ptrdiff_t channels;
    /// kernel × kernel × channels.
    const float *weights;
    /// `channels` values.
    const float *bias;
    ptrdiff_t kernel;
    ptrdiff_t stride;
    ptrdiff_t padding;
    /// CETNET_ACTIVATION_….
    int32_t activation;
    /// The rows of the output to compute, [first_row, end_row).
    ptrdiff_t first_row;
    ptrdiff_t end_row;
    /// Output map of `output_width` columns, positions `y_stride` apart; rows outside of the range are left alone.
    float *y;
    ptrdiff_t y_stride;
    ptrdiff_t output_width;
} cetnet_depthwise;
