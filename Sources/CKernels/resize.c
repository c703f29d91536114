#include "include/resize.h"

#include <string.h>

typedef uint8_t bytes16 __attribute__((ext_vector_type(16)));
typedef bytes16 bytes16_unaligned __attribute__((aligned(1)));
typedef int32_t ints16 __attribute__((ext_vector_type(16)));

#define CETNET_TIER(name) name##_portable
#include "families/resize.h"
#undef CETNET_TIER

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define CETNET_TIER(name) name##_avx2
#include "families/resize.h"
#undef CETNET_TIER
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2"))), apply_to = function)
#define CETNET_TIER(name) name##_avx512
#include "families/resize.h"
#undef CETNET_TIER
#pragma clang attribute pop

static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#endif

static int always(void) { return 1; }

#define CETNET_RESIZE_KERNELS(tier) {#tier, resize_rows_##tier, resize_columns_##tier, pixels_to_planes_##tier}

/// Best first.
static const struct {
    cetnet_resize_kernels kernels;
    int (*usable)(void);
} tiers[] = {
#if defined(__x86_64__)
    {CETNET_RESIZE_KERNELS(avx512), has_avx512},
    {CETNET_RESIZE_KERNELS(avx2), has_avx2},
#endif
    {CETNET_RESIZE_KERNELS(portable), always},
};

const cetnet_resize_kernels *cetnet_usable_resize_kernels(int32_t index) {
    for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
        if (!tiers[i].usable()) continue;
        if (index == 0) return &tiers[i].kernels;
        index--;
    }
    return NULL;
}
