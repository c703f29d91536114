#pragma once
// Attention of one head inside one window:  out = softmax(Q·Kᵀ + bias + mask) · V
//
// Tokens are given by their rows, so that partition, shift and padding of windows are address arithmetic of the
// caller. Both products are the tier's GEMM on operands gathered into scratch, which stays in the first-level cache.

#include <stddef.h>

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
    /// `tokens` rounded up to whole panels.
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
    ptrdiff_t token_panels = (tokens + panel_columns - 1) / panel_columns;
    ptrdiff_t channel_panels = (head_dimension + panel_columns - 1) / panel_columns;
    return 3 * tokens * head_dimension                                   // queries or results; keys; values
         + token_panels * panel_columns * (head_dimension + 1)           // packed keys
         + channel_panels * panel_columns * (tokens + 1)                 // packed values
         + tokens * token_panels * panel_columns                         // scores
         + 64;
}
