// x86-64 with AVX-512 F, BW, DQ and VL (Skylake server, Ice Lake, Zen 4 and later).

#if defined(__x86_64__)

#include <immintrin.h>

#include "tiers.h"

#define CETNET_TIER avx512
#define CETNET_LANES 16
#define CETNET_TILE_ROWS 14

static int is_usable(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl");
}

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "tier.inc"
#pragma clang attribute pop

#endif
