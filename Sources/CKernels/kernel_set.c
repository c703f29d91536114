#include "include/kernel_set.h"
#include "tiers/tiers.h"

typedef struct tier {
    const cetnet_kernel_set *kernels;
    int (*usable)(void);
} tier;

static int always(void) { return 1; }

#if defined(__x86_64__)
// The compiler's run-time library looks at CPUID and at XCR0, so a system that does not save the wide registers on a
// context switch counts as not having them.
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

/// Best first.
static const tier tiers[] = {
#if defined(__x86_64__)
    {&cetnet_kernel_set_avx512, has_avx512},
    {&cetnet_kernel_set_avx2, has_avx2},
#endif
    {&cetnet_kernel_set_portable, always},
};

enum { TIER_COUNT = sizeof(tiers) / sizeof(tiers[0]) };

const cetnet_kernel_set *cetnet_usable_kernel_set(int32_t index) {
    for (int32_t i = 0; i < TIER_COUNT; i++) {
        if (!tiers[i].usable()) continue;
        if (index == 0) return tiers[i].kernels;
        index--;
    }
    return 0;
}

const char *cetnet_known_tier(int32_t index) { return index >= 0 && index < TIER_COUNT ? tiers[index].kernels->name : 0; }
