#pragma once
// GEMM with packed weights:  C = epilogue(A · Bᵀ + bias)
//
//   A     rows × depth      activations, read in place
//   B     columns × depth   weights as PyTorch stores them (out_features, in_features), packed once at freezing
//   C     rows × columns
//
// This is float32; low_precision.h has the same with two or four numbers in the place of each float of A and B.
//
// Packing cuts the columns into panels of `panel_columns` (two vectors); a panel is one row of biases followed by
// `depth` rows of weights, so the kernel streams through it:
//
//   panel p:  bias[p·W … p·W+W)  B[p·W … p·W+W)[0]  B[p·W … p·W+W)[1]  …  B[p·W … p·W+W)[depth−1]
//
// The last panel is filled up with zeros, to one vector if that is enough. Every element of C is bias + Σ over depth in
// ascending order, one fused multiply-add each (where the tier has it), whatever the shape of the tile it falls into.

#include <stddef.h>
#include <stdint.h>

#include "activation.h"

typedef struct cetnet_gemm {
    /// rows × depth, row i at `a + i · a_stride`.
    const float *a;
    ptrdiff_t a_stride;
    /// Packed panels for `columns` × `depth`.
    const float *panels;
    ptrdiff_t rows;
    ptrdiff_t columns;
    ptrdiff_t depth;
    /// If not NULL: rows × cetnet_packed_columns(columns), taken instead of the bias as the start of each sum.
    const float *initial;
    ptrdiff_t initial_stride;
    /// CETNET_ACTIVATION_…, applied to the sum.
    int32_t activation;
    /// If not NULL: rows × columns, added after the activation, or before it if `residual_first`. May be the same memory
    /// as `c`.
    const float *residual;
    ptrdiff_t residual_stride;
    int32_t residual_first;
    /// rows × columns.
    float *c;
    ptrdiff_t c_stride;
} cetnet_gemm;

typedef struct cetnet_pack {
    /// columns × depth, row j at `weights + j · weights_stride`.
    const float *weights;
    ptrdiff_t weights_stride;
    /// If not NULL: `columns` factors, one for each row of weights; biases are not scaled.
    const float *column_scale;
    /// If not NULL: `depth` factors, one for each position in a row of weights, multiplied after the other.
    const float *depth_scale;
    /// `columns` values, or NULL for zeros.
    const float *bias;
    ptrdiff_t columns;
    ptrdiff_t depth;
    /// For `pack_int8`, if not NULL: columns × depth integers of −127 … 127, contiguous, and a scale for each column, in
    /// the place of `weights` and the factors.
    const int8_t *integers;
    const float *scales;
    /// Room for cetnet_packed_floats(columns, depth, …).
    float *panels;
} cetnet_pack;

/// `columns` rounded up to whole panels, the last of which may be half as wide.
static inline ptrdiff_t cetnet_packed_columns(ptrdiff_t columns, ptrdiff_t panel_columns) {
    ptrdiff_t half = panel_columns / 2;
    return (columns + half - 1) / half * half;
}

/// Floats of packed panels up to `column`, which starts a panel or is the rounded end: a bias and `depth` weights each.
static inline ptrdiff_t cetnet_panel_offset(ptrdiff_t column, ptrdiff_t depth) { return column * (depth + 1); }

/// Floats of all panels.
static inline ptrdiff_t cetnet_packed_floats(ptrdiff_t columns, ptrdiff_t depth, ptrdiff_t panel_columns) {
    return cetnet_panel_offset(cetnet_packed_columns(columns, panel_columns), depth);
}
