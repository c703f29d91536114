#pragma once
// Kernels of the CETNet engine, chosen at run time by what the processor can do.

#include "resize.h"
