// See include/peak.h.

#include "../include/peak.h"

#if defined(__aarch64__)
// Four pipes of four cycles, 32 registers.
enum { PEAK_CHAINS = 24 };
#else
enum { PEAK_CHAINS = 2 * CETNET_TILE_ROWS };
#endif

static void peak(cetnet_peak *arguments) {
    const vfloat multiplier = splat(arguments->multiplier), addend = splat(arguments->addend);
    vfloat chains[PEAK_CHAINS];
    CETNET_UNROLL
    for (int i = 0; i < PEAK_CHAINS; i++) chains[i] = splat((float)i);
    CETNET_KEEP_LOOP
    for (ptrdiff_t round = 0; round < arguments->rounds; round++) {
        CETNET_UNROLL
        for (int i = 0; i < PEAK_CHAINS; i++) chains[i] = chains[i] * multiplier + addend;
    }
    vfloat sum = splat(0);
    CETNET_UNROLL
    for (int i = 0; i < PEAK_CHAINS; i++) sum += chains[i];
    arguments->sum = sum_lanes(sum);
    arguments->per_round = PEAK_CHAINS * LANES;
}
