// x86-64 with AVX2 and FMA (2013 and later: Haswell, Zen).

#if defined(__x86_64__)

#include <immintrin.h>

#include "tiers.h"

#define CETNET_TIER avx2
#define CETNET_LANES 8
#define CETNET_TILE_ROWS 6

// The compiler's run-time library looks at CPUID and at XCR0, so a system that does not save the wide registers on a
// context switch counts as not having them.
static int is_usable(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "tier.inc"
#pragma clang attribute pop

#endif
