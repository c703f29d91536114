#pragma once
// Kernels of the CETNet engine: C with vector extensions, chosen at run time by what the processor can do.

#include "attention.h"
#include "depthwise.h"
#include "elementwise.h"
#include "gemm.h"
#include "global_attention.h"
#include "kernel_set.h"
#include "layout.h"
#include "normalization.h"
#include "peak.h"
#include "resize.h"
#include "stripe_attention.h"
#include "team.h"
