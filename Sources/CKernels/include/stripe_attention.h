#pragma once
// Attention of one head inside one stripe of a map, with locally enhanced positional encoding:
//   out = softmax(Q·Kᵀ) · V + lepe(V)
// where lepe is a 3×3 depthwise convolution with bias that sees zeros beyond the stripe.
//
// Tokens are given by their rows, so that stripes of any direction and their padding are address arithmetic of the
// caller. Both products are the tier's GEMM on operands gathered into scratch.

#include <stddef.h>

#include "global_attention.h"

typedef struct cetnet_stripe_attention {
    /// Tokens across the stripe and along it, each at least 1.
    ptrdiff_t breadth;
    ptrdiff_t length;
    ptrdiff_t dimension;
    /// For each token its projected row, token (b, l) at b · length + l; query, key and value of the head start at the
    /// three offsets. The query is already scaled.
    const float *const *rows;
    ptrdiff_t query_offset;
    ptrdiff_t key_offset;
    ptrdiff_t value_offset;
    /// 3 (across) × 3 (along) × dimension, and `dimension` biases.
    const float *lepe_weights;
    const float *lepe_bias;
    /// For each token where its `dimension` results go, at `output_offset`; NULL for padded tokens.
    float *const *outputs;
    ptrdiff_t output_offset;
    /// cetnet_stripe_attention_scratch(…) floats.
    float *scratch;
} cetnet_stripe_attention;

/// Floats of scratch that a stripe of `tokens` needs.
static inline ptrdiff_t cetnet_stripe_attention_scratch(
    ptrdiff_t tokens, ptrdiff_t dimension, ptrdiff_t panel_columns, ptrdiff_t tile_rows) {
    return 3 * tokens * dimension                                                  // queries; keys, later lepe; values
         + cetnet_packed_floats(tokens, dimension, panel_columns)                  // packed keys
         + cetnet_packed_floats(dimension, tokens, panel_columns)                  // packed values
         + cetnet_global_attention_scratch(tokens, panel_columns, tile_rows)       // scores
         + tile_rows * dimension;                                                  // results
}
