#pragma once
// Kernels of the CETNet engine: C with vector extensions, chosen at run time by what the processor can do.

#include "build.h"
#include "kernel_set.h"
#include "team.h"
