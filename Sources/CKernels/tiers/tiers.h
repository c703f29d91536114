// The tiers of this build, and the one row that each of them fills in.
#pragma once
#include "../include/kernel_set.h"

extern const cetnet_kernel_set cetnet_kernel_set_portable;
#if defined(__x86_64__)
extern const cetnet_kernel_set cetnet_kernel_set_avx2;
extern const cetnet_kernel_set cetnet_kernel_set_avx512;
#endif

#define CETNET_KERNEL_SET(tier)                                                                                        \
    {                                                                                                                  \
        .name = tier, .lanes = LANES, .tile_rows = CETNET_TILE_ROWS, .panel_columns = PANEL, .gemm = gemm,             \
        .pack_panels = pack_panels, .epilogue = epilogue, .layer_norm = layer_norm, .softmax = softmax,                \
        .depthwise = depthwise, .window_attention = window_attention, .im2col = im2col, .mean_rows = mean_rows,        \
        .global_attention = global_attention, .pack_values = pack_values, .stripe_attention = stripe_attention,        \
        .interleave = interleave, .pointwise = pointwise, .peak = peak,                                                \
    }
