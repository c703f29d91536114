// The tiers of this build, best first. A new one is a row here and a file beside this one.
#pragma once
#include "../include/kernel_set.h"

#if defined(__x86_64__)
#define CETNET_TIERS(X) X(avx512) X(avx2) X(portable)
#else
#define CETNET_TIERS(X) X(portable)
#endif
