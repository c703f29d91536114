// Any processor: vectors of four floats, which are SSE2 on x86-64 and NEON on ARM64.

#include "tiers.h"

#define CETNET_TIER portable
#define CETNET_LANES 4
#define CETNET_TILE_ROWS 6

static int is_usable(void) { return 1; }

#include "tier.inc"
