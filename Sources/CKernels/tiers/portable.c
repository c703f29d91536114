// Any processor: vectors of four floats, which are SSE2 on x86-64 and NEON on ARM64.

#include "../include/kernel_set.h"
#include "tiers.h"

#define CETNET_LANES 4
#define CETNET_TILE_ROWS 6

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

const cetnet_kernel_set cetnet_kernel_set_portable = CETNET_KERNEL_SET("portable");
