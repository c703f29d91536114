#pragma once
// Normalisations along rows.

#include <stddef.h>

/// LayerNorm:  y = (x − mean(x)) / √(var(x) + ε) · weight + bias   for each row, var being the population variance.
typedef struct cetnet_layer_norm {
    /// rows × channels.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t rows;
    ptrdiff_t channels;
    float epsilon;
    /// `channels` values each, or both NULL for 1 and 0.
    const float *weight;
    const float *bias;
    /// rows × channels; may be the same memory as `x`.
    float *y;
    ptrdiff_t y_stride;
} cetnet_layer_norm;

/// Softmax:  s = exp(s + mask − max) / Σ exp(s + mask − max)   for each row, in place.
typedef struct cetnet_softmax {
    /// rows × columns, each row followed by room up to the next multiple of `lanes`; that room is overwritten.
    float *scores;
    ptrdiff_t stride;
    ptrdiff_t rows;
    ptrdiff_t columns;
    /// If not NULL: added to the scores first; rows × columns with the same kind of room.
    const float *mask;
    ptrdiff_t mask_stride;
} cetnet_softmax;
