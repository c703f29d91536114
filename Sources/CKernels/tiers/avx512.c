// x86-64 with AVX-512 F, BW, DQ and VL (Skylake server, Ice Lake, Zen 4 and later).

#if defined(__x86_64__)

#include "../include/kernel_set.h"
#include "tiers.h"

#define CETNET_LANES 16
#define CETNET_TILE_ROWS 14

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
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

const cetnet_kernel_set cetnet_kernel_set_avx512 = CETNET_KERNEL_SET("avx512");

#endif
