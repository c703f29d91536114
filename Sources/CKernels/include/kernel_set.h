#pragma once
// One table of kernels per instruction-set tier, and the choice among them.
//
// Every family of kernels is written once, over vectors of `lanes` floats (see ../simd/), and compiled once per tier.
// A tier therefore computes the same formula for bodies and tails, and its results do not depend on how work is cut
// into calls: each output element is one chain of operations in a fixed order.

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "depthwise.h"
#include "elementwise.h"
#include "gemm.h"
#include "global_attention.h"
#include "layout.h"
#include "normalization.h"
#include "peak.h"
#include "stripe_attention.h"

typedef struct cetnet_kernel_set {
    /// "portable", "avx2" or "avx512".
    const char *name;
    /// Floats in one vector.
    int32_t lanes;
    /// Rows of the largest tile that the GEMM keeps in registers.
    int32_t tile_rows;
    /// Columns of a packed panel of weights.
    int32_t panel_columns;

    void (*gemm)(const cetnet_gemm *arguments);
    void (*pack_panels)(const cetnet_pack *arguments);
    void (*epilogue)(const cetnet_epilogue *arguments);
    void (*layer_norm)(const cetnet_layer_norm *arguments);
    void (*softmax)(const cetnet_softmax *arguments);
    void (*depthwise)(const cetnet_depthwise *arguments);
    void (*window_attention)(const cetnet_window_attention *arguments);
    void (*im2col)(const cetnet_im2col *arguments);
    void (*mean_rows)(const cetnet_mean_rows *arguments);
    void (*global_attention)(const cetnet_global_attention *arguments);
    void (*pack_values)(const cetnet_pack_values *arguments);
    void (*stripe_attention)(const cetnet_stripe_attention *arguments);
    void (*interleave)(const cetnet_interleave *arguments);
    void (*pointwise)(const cetnet_pointwise *arguments);
    void (*peak)(cetnet_peak *arguments);
} cetnet_kernel_set;

/// The tiers in order of preference, best first; `index` runs from 0 until the result is NULL.
/// Tiers that this processor (or the operating system, which must save the wide registers) does not support are
/// left out, so index 0 is the best usable one and the last is "portable".
const cetnet_kernel_set *cetnet_usable_kernel_set(int32_t index);

/// The names of all tiers that this build knows, usable or not, best first; NULL after the last.
const char *cetnet_known_tier(int32_t index);
