// x86-64 with AVX2 and FMA (2013 and later: Haswell, Zen).

#if defined(__x86_64__)

#include "../include/kernel_set.h"
#include "tiers.h"

#define CETNET_LANES 8
#define CETNET_TILE_ROWS 6

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "../simd/vector.h"
#include "../simd/functions.h"
#include "../families/gemm.h"
#include "../families/normalization.h"
#include "../families/attention_tile.h"
#include "../families/attention.h"
#include "../families/depthwise.h"
#include "../families/elementwise.h"
#include "../families/layout.h"
#include "../families/global_attention.h"
#include "../families/stripe_attention.h"
#include "../families/peak.h"
#pragma clang attribute pop

const cetnet_kernel_set cetnet_kernel_set_avx2 = CETNET_KERNEL_SET("avx2");

#endif
