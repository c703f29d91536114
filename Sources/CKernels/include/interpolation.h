#pragma once
// Weighted sums of positions: what resizing, pooling and labelling a map come down to. Each element is a chain of fused
// multiply-adds (where the tier has them) in the order of the terms.

#include <stddef.h>
#include <stdint.h>

/// y[r][c] = Σ over t of weights[t] · x[t][r][c]
typedef struct cetnet_weighted_sum {
    /// `terms` matrices, rows × columns each, rows `x_stride` apart.
    const float *const *x;
    const float *weights;
    ptrdiff_t terms;
    ptrdiff_t x_stride;
    ptrdiff_t rows;
    ptrdiff_t columns;
    /// rows × columns.
    float *y;
    ptrdiff_t y_stride;
} cetnet_weighted_sum;

/// y[i][c] = Σ over t of weights[i · terms + t] · x[rows[i · terms + t]][c], added to what is there if `accumulates`.
typedef struct cetnet_gathered_sum {
    /// Rows of `columns`, `x_stride` apart.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t columns;
    /// count × terms: rows of x, and what each is multiplied by.
    const int32_t *rows;
    const float *weights;
    ptrdiff_t terms;
    ptrdiff_t count;
    int32_t accumulates;
    /// count × columns.
    float *y;
    ptrdiff_t y_stride;
} cetnet_gathered_sum;

/// labels[i] = the first c of the largest of Σ over t of weights[i · terms + t] · x[rows[i · terms + t]][c]; a NaN is
/// never the largest, and where there is nothing but NaN and −∞ it is 0.
typedef struct cetnet_largest {
    const float *x;
    ptrdiff_t x_stride;
    /// Numbers that the largest is one of.
    ptrdiff_t columns;
    /// count × terms.
    const int32_t *rows;
    const float *weights;
    ptrdiff_t terms;
    ptrdiff_t count;
    int32_t *labels;
} cetnet_largest;
