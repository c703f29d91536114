#pragma once
// Attention of many queries of one head to all keys:  out = softmax(Q·Kᵀ) · V
//
// Keys and values are packed once per head, as panels of the tier's GEMM, and shared by everyone who computes some of
// the queries. Scores exist for a few queries at a time only, so that they stay in the second-level cache however many
// keys there are.

#include <stddef.h>

#include "gemm.h"

typedef struct cetnet_global_attention {
    /// rows × dimension, row i at `queries + i · queries_stride`, already scaled.
    const float *queries;
    ptrdiff_t queries_stride;
    ptrdiff_t rows;
    /// At least 1.
    ptrdiff_t keys;
    ptrdiff_t dimension;
    /// Packed by pack_panels: keys × dimension.
    const float *packed_keys;
    /// Packed by pack_values: keys × dimension.
    const float *packed_values;
    /// rows × dimension, row i at `out + i · out_stride`.
    float *out;
    ptrdiff_t out_stride;
    /// cetnet_global_attention_scratch(…) floats.
    float *scratch;
} cetnet_global_attention;

/// Packs values for the second product, Σ over keys of probability · value: panels of channels, keys in order.
typedef struct cetnet_pack_values {
    /// keys × dimension, row j at `values + j · values_stride`.
    const float *values;
    ptrdiff_t values_stride;
    ptrdiff_t keys;
    ptrdiff_t dimension;
    /// The keys to pack now, [first, end); the others' places are left alone.
    ptrdiff_t first;
    ptrdiff_t end;
    /// Room for cetnet_packed_floats(dimension, keys, …).
    float *panels;
} cetnet_pack_values;

/// Distance of two rows of scores: a cache line more than needed, because the rows of a tile would compete for the same
/// few lines of the first-level cache if they were a power of two apart.
static inline ptrdiff_t cetnet_score_stride(ptrdiff_t keys, ptrdiff_t panel_columns) {
    return cetnet_packed_columns(keys, panel_columns) + 16;
}

/// Floats of scores that exist at a time: 256 KiB, which stay in the second-level cache.
enum { CETNET_SCORE_FLOATS = 64 * 1024 };

/// Queries whose scores are computed together: a register tile of the GEMM, or fewer where keys are so many that their
/// scores would take more than CETNET_SCORE_FLOATS.
static inline ptrdiff_t cetnet_score_rows(ptrdiff_t keys, ptrdiff_t panel_columns, ptrdiff_t tile_rows) {
    ptrdiff_t fitting = CETNET_SCORE_FLOATS / cetnet_score_stride(keys, panel_columns);
    return fitting < 1 ? 1 : fitting < tile_rows ? fitting : tile_rows;
}

static inline ptrdiff_t cetnet_global_attention_scratch(
    ptrdiff_t keys, ptrdiff_t panel_columns, ptrdiff_t tile_rows) {
    return cetnet_score_rows(keys, panel_columns, tile_rows) * cetnet_score_stride(keys, panel_columns);
}
