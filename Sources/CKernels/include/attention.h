#pragma once
// Attention of one head inside one window:  out = softmax(Q·Kᵀ + bias + mask) · V
//
// Tokens are given by their rows, so that partition, shift and padding of windows are address arithmetic of the
// caller. Where the scores of a few queries fit into registers they never leave them; otherwise both products are the
// tier's GEMM on operands gathered into scratch, which stays in the first-level cache.

#include <stddef.h>

#include "gemm.h"

typedef struct cetnet_window_attention {
    /// Tokens of the window, at least 1.
    ptrdiff_t tokens;
    ptrdiff_t head_dimension;
    /// For each token its projected row; query, key and value of the head start at the three offsets. The query is
    /// already scaled.
    const float *const *rows;
    ptrdiff_t query_offset;
    ptrdiff_t key_offset;
    ptrdiff_t value_offset;
    /// tokens × `score_stride`: relative position bias of the head, padded with zeros.
    const float *bias;
    /// tokens × `score_stride`, added to the scores before the softmax; NULL if nothing is masked.
    const float *mask;
    /// cetnet_packed_columns(tokens).
    ptrdiff_t score_stride;
    /// For each token where its `head_dimension` results go, at `output_offset`; NULL for padded tokens.
    float *const *outputs;
    ptrdiff_t output_offset;
    /// cetnet_window_attention_scratch(…) floats.
    float *scratch;
} cetnet_window_attention;

/// Floats of scratch that a window needs with panels of `panel_columns`.
static inline ptrdiff_t cetnet_window_attention_scratch(
    ptrdiff_t tokens, ptrdiff_t head_dimension, ptrdiff_t panel_columns) {
    return 3 * tokens * head_dimension                                  // queries, later results; keys; values
         + cetnet_packed_floats(tokens, head_dimension, panel_columns)  // packed keys
         + cetnet_packed_floats(head_dimension, tokens, panel_columns)  // packed values
         + tokens * cetnet_packed_columns(tokens, panel_columns)        // scores
         + 64;
}
